"""dvc.yaml names the settings that a stage reads; dvc.lock and the reports belong to the code.

What is committed counts, not what the workspace has: `dvc repro` writes other digits on another
machine, and whoever tries a setting changes params.yaml.
"""

import ast
import hashlib
import json
import subprocess

import pytest
import yaml

from helpers import committed
from helpers.clone import Clone
from helpers.project import PROJECT
from helpers.settings import flat
from kantor import params
from kantor.system import dependencies, environment

STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
STUDY = "study/dvc.yaml"
RESULTS = "study/results"  # what its stages leave


def names(listed: list) -> list[str]:
    """Paths of a list in dvc.yaml, in which a path may have options."""
    return [next(iter(item)) if isinstance(item, dict) else item for item in listed]


OUTPUTS = {
    path: name
    for name, stage in STAGES.items()
    for path in names(stage.get("outs", []) + stage.get("metrics", []))
}
# Which stages read a block of params.yaml: they rerun, and what needs their outputs.
READERS = {
    "seed": {"train", "report"},
    "threads": {"train", "evaluate", "compose", "judge", "report"},
    "download": {"download", "report"},
    "preprocess": {"preprocess", "report"},
    "model": {"train", "report"},
    "train": {"train", "report"},
    "strikes": {"train", "report"},
    "evaluate": {"evaluate", "report"},
    "preferred": {"compose", "judge", "report"},
    "completion": {"compose", "report"},
    "judge": {"judge", "report"},
    "compose": {"compose", "report"},
    "render": {"render", "report"},
    "reproduce": set(),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return Clone(tmp_path_factory.mktemp("clone") / "kantor")


def blocks_read(path: str) -> set[str]:
    """The blocks of params.yaml that a stage's script reads from `params.load()`."""
    tree = ast.parse((PROJECT / path).read_text())
    if "settings.model_dump(exclude={'reproduce'})" in ast.unparse(tree):
        return params.Params.model_fields.keys() - {"reproduce"}
    return {
        node.attr
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and not takes_a_block(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("settings", "params.load()")
        and node.attr in params.Params.model_fields
    }


def takes_a_block(function: ast.FunctionDef) -> bool:
    """Whether the argument `settings` of a function is a single block."""
    return any(
        argument.arg == "settings" and ast.unparse(argument.annotation) != "params.Params"
        for argument in function.args.args
    )


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_blocks_that_dvc_yaml_names(stage):
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"
    expected = {block for block, stages in READERS.items() if stage in stages}
    blocks = [entry for entry in STAGES[stage]["params"] if isinstance(entry, str)]
    assert blocks_read(f"stages/{stage}.py") == expected == set(blocks)
    others = [entry.keys() for entry in STAGES[stage]["params"] if isinstance(entry, dict)]
    assert others in ([], [{dependencies.VERSIONS}])


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else [value]


@pytest.mark.slow
def test_a_changed_block_reruns_the_stages_that_read_it_and_no_other(clone):
    """One key of each block, the deepest: dvc.yaml names whole blocks."""
    text = (clone.folder / "params.yaml").read_text()
    settings = flat(yaml.safe_load(text), whole="reproduce.quick")
    assert len(settings) > 50 and {key.split(".")[0] for key in settings} == READERS.keys()
    before = clone.changed_params("params.yaml")
    for block, stages in READERS.items():
        keys = [key for key in settings if key.split(".")[0] == block]
        key = max(keys, key=lambda key: key.count("."))
        clone.change({key: other(settings[key])})
        after = clone.changed_params("params.yaml")
        (clone.folder / "params.yaml").write_text(text)
        assert {stage for stage, name in after - before if name == block} == stages, key
        assert {name for _, name in after - before} <= {block}


@pytest.mark.parametrize("pipeline", ["dvc.yaml", STUDY])
def test_the_committed_lock_matches_the_code_and_the_committed_params(clone, pipeline):
    """Whoever changes what a stage reads runs `dvc repro` and commits dvc.lock with it."""
    stale = {
        f"{path} is {what}"
        for changes in clone.status(pipeline).values()
        for change in changes
        for paths in ([change] if isinstance(change, str) else change.values())
        for path, what in ([(paths, "another")] if isinstance(paths, str) else paths.items())
        # What only a rebuild or a cache brings is not there in a fresh clone.
        if not (what in ("deleted", "not in cache") and (path in OUTPUTS or RESULTS in path))
    }
    folder = pipeline.removesuffix("dvc.yaml")
    assert not stale, (
        f"run `dvc repro {pipeline}`, then `git add {folder}dvc.lock reports`: {sorted(stale)}"
    )


def test_what_the_lock_says_of_the_stages_hangs_together():
    stages = yaml.safe_load(committed.text("dvc.lock"))["stages"]
    made = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    assert stages.keys() == STAGES.keys() and made.keys() == OUTPUTS.keys()
    for name, stage in stages.items():
        deps = {dep["path"]: dep["md5"] for dep in stage["deps"]}
        assert deps.keys() == set(names(STAGES[name]["deps"]))
        for path in deps.keys() & made.keys():
            assert deps[path] == made[path], f"{name} was run with another {path}"


def test_the_listening_page_of_the_lock_is_small_enough_to_send():
    outputs = yaml.safe_load(committed.text("dvc.lock"))["stages"]["report"]["outs"]
    (size,) = [out["size"] for out in outputs if out["path"] == "reports/index.html"]
    assert size < 12e6


def test_the_committed_reports_are_those_of_the_default_run():
    metrics = json.loads(committed.text("reports/metrics.json"))
    assert metrics["held_out_test"] and metrics["sizes"]["test"]["chorales"] == 77
    uncached = {
        path
        for stage in STAGES.values()
        for item in stage.get("outs", []) + stage.get("metrics", [])
        if isinstance(item, dict)
        for path in item
    }
    assert uncached == {
        "reports/metrics.json",
        "reports/evaluation",
        "reports/music.json",
        "reports/music",
    }
    for path in [*uncached, "dvc.lock"]:
        listed = subprocess.run(["git", "ls-files", path], cwd=PROJECT, capture_output=True)
        assert listed.stdout, f"{path} of the default run is to be committed"


def test_the_committed_metrics_are_those_of_the_lock():
    outputs = yaml.safe_load(committed.text("dvc.lock"))["stages"]["evaluate"]["outs"]
    (locked,) = [out["md5"] for out in outputs if out["path"] == "reports/metrics.json"]
    digest = hashlib.md5(committed.content("reports/metrics.json")).hexdigest()
    assert digest == locked, "commit dvc.lock and reports of the same run"


def test_the_committed_scores_are_no_worse_than_promised():
    scores = json.loads(committed.text("reports/metrics.json"))["test"]
    assert scores["pieces"]["loss"] <= 0.385
    assert scores["windows"]["loss"] <= 0.45
    assert scores["pieces"]["accuracy"] > scores["baselines"]["copy"]["accuracy"]


def test_every_library_that_the_promise_counts_is_pinned():
    assert dependencies.pins(PROJECT).keys() == environment.LIBRARIES.keys()
