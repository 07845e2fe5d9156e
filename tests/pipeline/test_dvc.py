"""DVC with this pipeline: its cache, and its commands for settings, metrics and plots.

Stand-ins take the place of the stages: scripts that write at once what tells their inputs and
settings. What DVC does with dvc.yaml doesn't depend on more.
"""

import shutil

import pytest
import yaml

from helpers import committed
from helpers.clone import Clone
from helpers.project import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("dvc")]  # they share what is built once
STAND_IN = '''
"""Write, for each output of this stage, which inputs and settings it comes from."""
import hashlib, json, pathlib, yaml
stage = yaml.safe_load(open("dvc.yaml"))["stages"][NAME]
settings = yaml.safe_load(open("params.yaml"))
read = [settings[key] for key in stage["params"] if isinstance(key, str)]
digest = hashlib.sha256(str(read).encode())
def path_of(item):
    return pathlib.Path(item if isinstance(item, str) else next(iter(item)))
for path in map(path_of, stage["deps"]):
    for file in [path, *sorted(path.rglob("*"))]:
        if file.is_file():
            digest.update(file.read_bytes())
for path in map(path_of, stage.get("outs", []) + stage.get("metrics", [])):
    path.parent.mkdir(parents=True, exist_ok=True)
    if str(path) == "reports/metrics.json":
        metrics = json.loads(pathlib.Path("like/metrics.json").read_text())
        metrics["test"]["pieces"]["loss"] = int(digest.hexdigest()[:6], 16) / 2**24
        path.write_text(json.dumps(metrics))
    elif path.suffix:
        path.write_text(digest.hexdigest())
    else:
        path.mkdir(exist_ok=True)
        (path / "content").write_text(digest.hexdigest())
        for table in pathlib.Path("like/evaluation").glob("*.csv"):
            (path / table.name).write_text(table.read_text())
'''
OUTPUTS = ("data", "models", "reports/metrics.json", "reports/samples", "reports/index.html")
STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A committed clone whose stages are stand-ins, built. Tests leave it as it is."""
    clone = Clone(tmp_path_factory.mktemp("clone") / "kantor")
    (clone.folder / "like").mkdir()
    shutil.move(clone.folder / "reports/evaluation", clone.folder / "like")
    shutil.move(clone.folder / "reports/metrics.json", clone.folder / "like")
    for name in STAGES:
        script = STAND_IN.replace("NAME", repr(name))
        (clone.folder / f"stages/{name}.py").write_text(script)
    clone.run("dvc", "repro")
    clone.commit()
    return clone


@pytest.fixture
def copy(pipeline, tmp_path):
    """The same, to change it."""
    clone = object.__new__(Clone)
    clone.folder = tmp_path / "kantor"
    shutil.copytree(pipeline.folder, clone.folder)
    return clone


def test_with_nothing_changed_nothing_runs(pipeline):
    assert "Data and pipelines are up to date" in pipeline.run("dvc", "repro")


def test_going_back_to_earlier_settings_trains_nothing(copy):
    before = copy.digests(*OUTPUTS)
    settings = (copy.folder / "params.yaml").read_text()
    copy.change({"train.epochs": 2})
    copy.run("dvc", "repro")
    assert copy.digests(*OUTPUTS) != before
    (copy.folder / "params.yaml").write_text(settings)
    printed = copy.run("dvc", "repro")
    assert "Stage 'train' is cached" in printed and "Running stage 'train'" not in printed
    assert copy.digests(*OUTPUTS) == before


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_fails_leaves_the_reports_of_before(copy, name):
    before, committed_files = copy.digests(*OUTPUTS), copy.run("git", "ls-files").splitlines()
    script = copy.folder / f"stages/{name}.py"
    works = script.read_text()
    script.write_text("raise SystemExit(1)")
    copy.run("dvc", "repro", code=255)
    assert not [path for path in committed_files if not (copy.folder / path).exists()]
    script.write_text(works)
    copy.run("dvc", "checkout", "dvc.yaml")
    assert copy.digests(*OUTPUTS) == before


def test_a_changed_tempo_composes_nothing(copy):
    copy.change({"render.tempo": 99.0})
    printed = copy.run("dvc", "repro")
    assert [name for name in STAGES if f"Running stage '{name}'" in printed] == ["render", "report"]


def test_dvcs_own_commands_compare_settings(copy):
    copy.change({"render.tempo": 200.0, "train.batch_size": 64})
    changed = copy.run("dvc", "params", "diff", "--md")
    assert "| train.batch_size |" in changed and "| render.tempo " in changed


def test_dvcs_own_commands_experiment_and_compare_scores(copy):
    copy.run("dvc", "exp", "run", "-S", "train.epochs=2")
    assert "test.pieces.loss" in copy.run("dvc", "metrics", "diff", "--md")
    assert "train" in copy.run("dvc", "dag", "dvc.yaml")


def test_dvcs_own_commands_draw(copy):
    # Of a few pieces not all of the judge's figures are numbers; the committed ones are.
    for name in ("grade", "temperature", "given_away"):
        table = committed.content(f"reports/music/{name}.csv")
        (copy.folder / f"reports/music/{name}.csv").write_bytes(table)
    copy.run("dvc", "plots", "show")
    page = (copy.folder / "dvc_plots/index.html").read_text()
    plots = yaml.safe_load((copy.folder / "dvc.yaml").read_text())["plots"]
    places = [page.find(title) for plot in plots for title in plot]
    assert len(places) == 10
    assert -1 not in places, places
    assert places == sorted(places), places
    path = copy.folder / "reports/evaluation/training.csv"
    path.write_text(path.read_text().replace("0.", "1."))
    copy.run("dvc", "plots", "diff", "HEAD", "--out", "diff_plots")
    both = (copy.folder / "diff_plots/index.html").read_text()
    assert '"rev": "HEAD"' in both and '"rev": "workspace"' in both
