"""dvc.yaml names all that a stage depends on and nothing else; dvc.lock tells the truth."""

import ast
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from clone import Clone
from dvc.repo import Repo

from conftest import PROJECT, flat
from kantor import params
from kantor.system import environment

STAGES = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
LOCK = PROJECT / "dvc.lock"
STUDY = "study/dvc.yaml"
RESULTS = "study/results"  # what its stages leave
DATA_FILES = {
    "kantor/embedded.py": {"kantor/corpus_manifest.csv"},
    "kantor/page.py": {
        str(path.relative_to(PROJECT)) for path in (PROJECT / "kantor/listening").iterdir()
    },
}


def names(listed: list) -> list[str]:
    """Paths of a list in dvc.yaml, in which a path may have options."""
    return [next(iter(item)) if isinstance(item, dict) else item for item in listed]


OUTPUTS = {
    path: stage
    for stage, of in STAGES.items()
    for path in names(of.get("outs", []) + of.get("metrics", []))
}


def imported(path: str) -> set[str]:
    """The project files that a project file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((PROJECT / path).read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        for module in modules:
            file = module.replace(".", "/")
            for candidate in (f"{file}.py", f"{file}/__init__.py"):
                if (PROJECT / candidate).exists():
                    found.add(candidate)
    return found


def followed(path: str) -> set[str]:
    """A project file and all that it leads to."""
    found, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += imported(current)
    return found.union(*(DATA_FILES[path] for path in found & DATA_FILES.keys()))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_just_the_files_that_it_imports(stage):
    deps = set(names(STAGES[stage]["deps"]))
    assert deps - OUTPUTS.keys() == followed(f"stages/{stage}.py")
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"


# What a technique's training imports, but its score does not depend on.
UNLISTED = {
    f"kantor/{name}.py"
    for name in [
        "__init__",
        "checkpoint",
        "environment",
        "errors",
        "files",
        "model_file",
        "params",
        "progress",
    ]
}
OTHER_NETWORK = {
    "notebook": {"kantor/recall.py", "kantor/row_gru.py"},
    "default": {"kantor/wavenet_lstm.py"},
}


@pytest.mark.parametrize("stage", OTHER_NETWORK)
def test_a_technique_depends_on_all_files_but_those_that_are_said_not_to_matter(stage):
    stages = yaml.safe_load((PROJECT / STUDY).read_text())["stages"]
    code = {path for path in stages[stage]["deps"] if path.endswith(".py")}
    led_to = followed("study/technique.py") | followed("stages/train.py")
    assert led_to - code == UNLISTED | OTHER_NETWORK[stage] and code <= led_to


# Which stages read a block of params.yaml: they rerun, and what needs their outputs.
READERS = {
    "seed": {"train", "report"},
    "threads": {"train", "evaluate", "render", "report"},
    "download": {"download", "report"},
    "preprocess": {"preprocess", "report"},
    "model": {"train", "report"},
    "train": {"train", "report"},
    "evaluate": {"evaluate", "report"},
    "render": {"render", "report"},
    "reproduce": set(),
}


def blocks_read(path: str) -> set[str]:
    """The blocks of params.yaml that a stage's script reads from `params.load()`."""
    tree = ast.parse((PROJECT / path).read_text())
    if "settings.model_dump(exclude={'reproduce'})" in ast.unparse(tree):
        return params.Params.model_fields.keys() - {"reproduce"}
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in ("settings", "params.load()")
        and node.attr in params.Params.model_fields
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_the_blocks_that_dvc_yaml_names(stage):
    expected = {block for block, stages in READERS.items() if stage in stages}
    assert blocks_read(f"stages/{stage}.py") == expected == set(STAGES[stage]["params"])


def other(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else [value]


def status_of(project: Path, pipeline: str = "dvc.yaml") -> dict:
    """What `dvc status` tells of a pipeline."""
    with Repo(project) as repo:
        return repo.status(targets=[str(project / pipeline)])


def test_a_changed_key_reruns_the_stages_that_read_it_and_no_other(tmp_path):
    clone = Clone(tmp_path / "kantor")
    settings = flat(yaml.safe_load((PROJECT / "params.yaml").read_text()), whole="reproduce.quick")
    text = (clone.folder / "params.yaml").read_text()
    assert len(settings) > 50 and {key.split(".")[0] for key in settings} == READERS.keys()
    for key, value in settings.items():
        clone.change({key: other(value)})
        status = status_of(clone.folder)
        reading = {
            stage.split(":")[-1]
            for stage, changes in status.items()
            if any("params.yaml" in change.get("changed deps", {}) for change in changes)
        }
        assert reading == READERS[key.split(".")[0]], key
        (clone.folder / "params.yaml").write_text(text)


def test_the_listening_page_of_the_lock_is_small_enough_to_send():
    outputs = yaml.safe_load(LOCK.read_text())["stages"]["report"]["outs"]
    (size,) = [out["size"] for out in outputs if out["path"] == "reports/index.html"]
    assert size < 12e6


@pytest.mark.parametrize("pipeline", ["dvc.yaml", STUDY])
def test_the_lock_matches_the_committed_code_params_and_manifest(pipeline):
    """Whoever changes what a stage reads runs `dvc repro` and commits dvc.lock with it."""
    status = status_of(PROJECT, pipeline)
    stale = {
        f"{stage}: {path} is {what}"
        for stage, changes in status.items()
        for change in changes
        if isinstance(change, dict)
        for paths in change.values()
        if isinstance(paths, dict)
        for path, what in paths.items()
        # What only a rebuild or a cache brings is not there in a fresh clone.
        if not (what in ("deleted", "not in cache") and (path in OUTPUTS or RESULTS in path))
    }
    commands = {stage for stage, changes in status.items() if "changed command" in changes}
    assert not stale and not commands, (
        f"run `dvc repro {pipeline}` and commit its lock: {stale}{commands}"
    )


def test_what_the_lock_says_of_the_stages_hangs_together():
    locked = yaml.safe_load(LOCK.read_text())["stages"]
    made = {out["path"]: out["md5"] for stage in locked.values() for out in stage["outs"]}
    assert locked.keys() == STAGES.keys() and made.keys() == OUTPUTS.keys()
    for name, stage in locked.items():
        deps = {dep["path"]: dep["md5"] for dep in stage["deps"]}
        assert deps.keys() == set(names(STAGES[name]["deps"]))
        for path in deps.keys() & made.keys():
            assert deps[path] == made[path], f"{name} was run with another {path}"


def test_the_committed_reports_are_those_of_the_lock():
    metrics = json.loads((PROJECT / "reports/metrics.json").read_text())
    assert metrics["held_out_test"] and metrics["sizes"]["test"]["chorales"] == 77
    uncached = {
        next(iter(item))
        for of in STAGES.values()
        for item in of.get("outs", []) + of.get("metrics", [])
        if isinstance(item, dict)
    }
    assert uncached == {"reports/metrics.json", "reports/evaluation"}
    for path in [*uncached, "reports/environment.json", "dvc.lock"]:
        listed = subprocess.run(["git", "ls-files", path], cwd=PROJECT, capture_output=True)
        assert listed.stdout, f"{path} of the default run is to be committed"


def test_the_committed_scores_are_no_worse_than_promised():
    scores = json.loads((PROJECT / "reports/metrics.json").read_text())["test"]
    assert scores["pieces"]["loss"] <= 0.385
    assert scores["windows"]["loss"] <= 0.45
    assert scores["pieces"]["accuracy"] > scores["baselines"]["copy"]["accuracy"]


def test_the_committed_model_was_trained_with_the_pinned_libraries():
    recorded = environment.read(PROJECT / environment.RECORD)
    pinned = dict(
        line.lower().split("==")
        for line in (PROJECT / "constraints.txt").read_text().splitlines()
        if "==" in line
    )
    for library in environment.LIBRARIES:
        assert recorded[library] == pinned[library], f"run `dvc repro -f train`: {library}"
