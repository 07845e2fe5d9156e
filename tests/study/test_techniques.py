"""study/dvc.yaml: the exercise's techniques, run and judged."""

import ast
import io
import os
import signal
import subprocess
import time

import pandas as pd
import pytest
import yaml

import study
from helpers import committed
from helpers.clone import Clone
from helpers.project import PROJECT
from kantor.system import dependencies
from study import report

STAGES = yaml.safe_load((PROJECT / "study/dvc.yaml").read_text())["stages"]
# In the place of stages that take minutes: what they leave behind.
TRAIN = """
import time
from pathlib import Path
time.sleep(0.5)
Path("reports").mkdir(exist_ok=True)
Path("reports/training.csv").write_text("member,epoch,loss,valid_loss\\n1,1,0.8,0.7\\n")
"""
WINDOWS = """
from kantor import params
def scored(folder):
    settings = params.load(folder / "params.yaml")
    loss = 0.6 + settings.seed / 1000 - settings.model.wavenet_lstm["dropout"] / 10
    return dict.fromkeys(("valid", "test"), {"loss": loss, "accuracy": 1 - loss})
"""


# What a technique's training imports, but its score does not depend on.
UNLISTED = {
    "kantor/bounds.py",
    "kantor/details.py",
    "kantor/metadata.py",
    "kantor/network/architecture.py",
    "kantor/network/contract.py",
    "kantor/network/model_file.py",
    "kantor/network/registry.py",
    "kantor/network/strikes.py",
    "kantor/params.py",
    "kantor/system/atomic.py",
    "kantor/system/core_yaml.py",
    "kantor/system/duration.py",
    "kantor/system/environment.py",
    "kantor/system/errors.py",
    "kantor/system/inputs.py",
    "kantor/system/intermediate.py",
    "kantor/system/memory.py",
    "kantor/system/parent.py",
    "kantor/system/progress.py",
    "kantor/system/refusal.py",
    "kantor/system/settings.py",
    "kantor/training/checkpoint.py",
    "kantor/training/history.py",
    "kantor/training/needs.py",
    "kantor/training/strikes.py",
    "kantor/wish.py",
}
OTHER_NETWORK = {
    "notebook": {
        "kantor/judging/chords.py",
        "kantor/network/lookback.py",
        "kantor/network/mixture.py",
        "kantor/network/plan_features.py",
        "kantor/network/row_gru.py",
        "kantor/network/voice_leading.py",
    },
    "default": {"kantor/network/wavenet_lstm.py"},
}


@pytest.mark.parametrize("stage", OTHER_NETWORK)
def test_a_technique_depends_on_all_files_but_those_that_do_not_matter(stage):
    code = {path for path in STAGES[stage]["deps"] if path.endswith(".py")}
    scripts = ("study/technique.py", "stages/train.py")
    imported = set().union(*(dependencies.files(PROJECT, script) for script in scripts))
    modules = {path for path in imported if path.endswith(".py")}
    # The packages' own files hold nothing but a docstring, but for the first.
    packages = {path for path in modules if path.startswith("kantor/") and "__init__" in path}
    bodies = {path: ast.parse((PROJECT / path).read_text()).body for path in packages}
    assert {path for path, body in bodies.items() if len(body) > 1} == {"kantor/__init__.py"}
    assert modules - packages - code == UNLISTED | OTHER_NETWORK[stage] and code <= modules


def test_every_technique_is_run_with_three_seeds_and_its_base_too():
    matrices = [STAGES[stage]["matrix"] for stage in ("notebook", "default")]
    bases = {base for base, _ in study.techniques().values()}
    variants = [variant for matrix in matrices for variant in matrix["variant"]]
    assert sorted(variants) == sorted(study.techniques().keys() | bases)
    assert all(matrix["seed"] == [1, 2, 3] for matrix in matrices)
    numbers = [int(title.split(".")[0]) for _, title in study.techniques().values()]
    assert numbers[:11] == list(range(1, 12)), "of the notebook's recipe, all"
    assert numbers[11:] == sorted(numbers[11:]), "of the default"


def test_a_stage_depends_on_the_bases_of_its_variants():
    for stage, recipe in (("notebook", "notebook"), ("default", "default")):
        bases = {
            study.techniques().get(name, (name,))[0] for name in STAGES[stage]["matrix"]["variant"]
        }
        assert all(base.startswith(recipe) for base in bases)
        assert {f"study/variants/{base}.yaml" for base in bases} <= set(STAGES[stage]["deps"])


def test_the_report_has_all_techniques():
    table = committed.text("reports/study/techniques.md")
    judged = pd.read_csv(io.StringIO(committed.text("reports/study/techniques.csv")))
    assert judged["technique"].tolist() == [title for _, title in study.techniques().values()]
    for row in judged.itertuples():
        figures = f"{row.valid_loss:+.4f} ± {row.valid_loss_spread:.4f}"
        assert f"| {row.technique} | {figures} |" in table


@pytest.mark.slow
def test_the_study_goes_on_after_a_kill_and_judges_what_is_there(tmp_path):
    clone = Clone(tmp_path / "kantor")
    (clone.folder / "data/records").mkdir(parents=True)
    (clone.folder / "data/records/dataset.json").write_text("{}")
    (clone.folder / "stages/train.py").write_text(TRAIN)
    (clone.folder / "study/windows.py").write_text(WINDOWS)
    variants = ["dropout", "learning_rate", "notebook_short"]
    for path in (clone.folder / "study/variants").glob("*.yaml"):
        if path.stem not in (*variants, "notebook"):
            path.unlink()
    stages = yaml.safe_load((clone.folder / "study/dvc.yaml").read_text())
    del stages["stages"]["default"]
    stages["stages"]["notebook"]["matrix"]["variant"] = variants
    (clone.folder / "study/dvc.yaml").write_text(yaml.safe_dump(stages))
    (clone.folder / "study/dvc.lock").unlink(missing_ok=True)
    # The data is there, so nothing has to make it.
    (clone.folder / "dvc.yaml").write_text("stages: {other: {cmd: 'true'}}\n")

    command = ["dvc", "repro", "study/dvc.yaml"]
    options = {"cwd": clone.folder, "env": clone.environment, "start_new_session": True}
    with subprocess.Popen(command, **options) as running:
        while len(list((clone.folder / "study/results").glob("*"))) < 3:
            assert running.poll() is None
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
    printed = clone.run(*command)
    assert 6 <= printed.count("Running stage 'study/dvc.yaml:notebook") <= 7
    assert 2 <= printed.count("didn't change, skipping") <= 3

    judged = pd.read_csv(clone.folder / "reports/study/techniques.csv").set_index("variant")
    assert judged["verdict"].to_dict() == {"dropout": "helps", "learning_rate": "does not matter"}
    assert judged["valid_loss"]["dropout"] == pytest.approx(-0.02)
    text = (clone.folder / "reports/study/techniques.md").read_text()
    assert "3. dropout of 0.2" in text and "Helps: the loss is lower" in text
    assert (clone.folder / "reports/study/techniques.svg").stat().st_size > 5000
    curves = pd.read_csv(clone.folder / "reports/study/curves.csv")
    assert len(curves) == 9 and set(curves["loss"]) == {0.8} and set(curves["seed"]) == {1, 2, 3}
    assert "up to date" in clone.run(*command)

    variant = clone.folder / "study/variants/dropout.yaml"
    variant.write_text(variant.read_text().replace(": 0.2", ": 0.3"))
    printed = clone.run(*command)
    assert printed.count("Running stage") == 4, "three seeds of what was changed, and the report"
    judged = pd.read_csv(clone.folder / "reports/study/techniques.csv").set_index("variant")
    assert judged["valid_loss"]["dropout"] == pytest.approx(-0.03)


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ((0.60, 0.601, 0.599), "helps"),
        ((0.64, 0.641, 0.639), "hurts"),
        ((0.6205, 0.6195, 0.6201), "does not matter"),
        ((0.60, 0.64, 0.605), "not clear"),
        ((0.59, 0.65, 0.622), "not clear"),
        ((0.612, 0.6121, 0.6119), "helps"),
        ((0.618, 0.6181, 0.6179), "does not matter"),
        ((0.623, 0.6235, 0.624), "does not matter"),
    ],
)
def test_a_verdict_goes_by_the_interval(ours, verdict):
    base = pd.Series([0.62, 0.621, 0.619])
    low, high = report.interval(pd.Series(ours), base)
    assert report.verdict(sum(ours) / 3 - 0.62, low, high) == verdict


def test_the_interval_is_of_the_differences_by_seed():
    # Two degrees of freedom, for which Student's t at 97.5% is 4.303.
    low, high = report.interval(pd.Series([2.0, 3.0, 4.0]), pd.Series([1.0, 1.0, 1.0]))
    half = 4.303 / 3**0.5
    assert (low, high) == (pytest.approx(2 - half, abs=1e-3), pytest.approx(2 + half, abs=1e-3))
    # Seeds that are better or worse in both say nothing against a difference.
    low, high = report.interval(pd.Series([0.6, 0.7, 0.8]), pd.Series([0.61, 0.71, 0.8101]))
    assert -0.0103 < low < high < -0.0098
