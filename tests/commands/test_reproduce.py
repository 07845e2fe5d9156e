import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from helpers import committed, running
from helpers.clone import CONVOLUTIONS, Clone
from helpers.project import PROJECT
from helpers.settings import changed
from kantor.commands import reproduce

# The quick setting, quicker: what is to be shown here needs no recurrent network.
QUICKER = {
    "reproduce.quick": CONVOLUTIONS
    | {
        "download.limit": 3,
        "preprocess.window": 16,
        "train.epochs": 1,
        "train.schedule.warmup_epochs": 0,
        "train.batch_size": 64,
        "compose.samples.cold.rows": 2,
        "compose.samples.medium.rows": 2,
        "compose.samples.hot.rows": 2,
        "compose.samples.greedy.rows": 2,
        "compose.training_chorales": 1,
    }
}
DATE = (
    "stages/evaluate.py",
    "    metrics = {\n",
    '    metrics = {\n        "date": pd.Timestamp.now().date().isoformat(),\n',
)
UNSEEDED_SAMPLE = (
    "kantor/sampling/sampler.py",
    "np.random.Philox(request.seed)",
    "np.random.Philox()",
)
UNSORTED_LISTING = (  # strings in a set come by hash
    "stages/download.py",
    "            for key in keys\n        ]\n        metadata",
    "            for key in set(keys)\n        ]\n        metadata",
)


def outputs(*without):
    """What the stages of the project write, but for these stages."""
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    return {
        item if isinstance(item, str) else next(iter(item))
        for name, stage in stages.items()
        if name not in without
        for item in [*stage["outs"], *stage.get("metrics", [])]
    }


@pytest.mark.slow
def test_wrong_bytes_turn_the_quick_check_red(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.change(QUICKER)
    for planted in (DATE, UNSEEDED_SAMPLE, UNSORTED_LISTING):
        clone.replace(*planted)
    clone.commit()
    printed = clone.kantor("reproduce", "--quick", code=1)
    line = r"^((?:data|models|reports)/\S+) +(\w+(?: \w+)?) +[0-9a-f]{32}"
    verdicts = dict(re.findall(line, printed, re.M))
    assert verdicts.keys() == outputs(), printed
    differing = {output for output, verdict in verdicts.items() if verdict == "differs"}
    planted = {"reports/metrics.json", "reports/compositions", "data/chorales"}
    # What shows the planted is wrong too, and nothing else.
    shown = {
        "reports/samples",
        "reports/probabilities",
        "reports/pictures",
        "reports/index.html",
        "reports/music",
        "reports/music.json",
    }
    assert planted <= differing <= planted | shown
    assert set(verdicts.values()) <= {"identical", "differs"}
    error = printed.rstrip().splitlines()[-1]
    assert error.startswith("error: not the same bits: ") and "data/chorales" in error


STAGE = """
import json, os
from pathlib import Path
import kantor
# As the process was begun: kantor itself has changed some variables since.
begun = Path("/proc/self/environ").read_text().rstrip("\\0").split("\\0")
seen = {"code": kantor.__file__, "cores": len(os.sched_getaffinity(0))}
seen |= dict(variable.split("=", 1) for variable in begun)
Path("seen.json").write_text(json.dumps(seen))
"""


@pytest.fixture
def tiny(tmp_path):
    """A committed clone with one stage, which writes what it sees around it."""
    clone = Clone(tmp_path / "kantor")
    stages = {"look": {"cmd": "python -m stages.look", "outs": ["seen.json"]}}
    (clone.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (clone.folder / "stages/look.py").write_text(STAGE)
    clone.commit()
    return clone


@pytest.mark.slow
def test_a_rebuild_runs_the_code_of_its_clone_in_two_environments(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    seen = {}
    for another in (False, True):
        build = reproduce.Build(tiny.folder, tmp_path / f"rebuilt-{another}", quick=False)
        assert build.outputs(build.start(another=another, shown=False)).keys() == {"seen.json"}
        seen[another] = json.loads((build.folder / "seen.json").read_text())
        code = Path(seen[another]["code"])
        assert code.is_relative_to(build.folder), "neither the installed one nor the project's"
    assert seen[True]["cores"] == 1 and seen[True]["HOME"] != seen[False]["HOME"]
    assert seen[True].items() >= reproduce.ANOTHER_ENVIRONMENT.items()
    assert seen[False].items() >= reproduce.FIRST_ENVIRONMENT.items()
    keras = json.loads((Path(seen[True]["HOME"]) / ".keras/keras.json").read_text())
    assert keras == reproduce.ANOTHER_KERAS


def test_a_build_that_fails_shows_the_end_of_its_log(tiny, tmp_path):
    (tiny.folder / "stages/look.py").write_text("raise SystemExit('error: nothing to see')\n")
    tiny.commit()
    build = reproduce.Build(tiny.folder, tmp_path / "rebuilt", quick=False)
    with pytest.raises(reproduce.KantorError, match=r"failed in the clone[^$]*nothing to see"):
        build.outputs(build.start(another=False, shown=False))


LOCKED = {"data/records": "a", "models/chorale.keras": "b", "reports/samples": "c"}


def verdicts(rebuilt, allowed):
    return [row.verdict for row in reproduce.compare(LOCKED, rebuilt, allowed)]


def test_what_differs_is_allowed_to_only_where_the_machine_does():
    other = {"data/records": "a", "models/chorale.keras": "x", "reports/samples": "y"}
    assert verdicts(LOCKED, {}) == ["identical"] * 3
    assert verdicts(other, {}) == ["identical", "differs", "differs"]
    assert verdicts(other, reproduce.ALLOWED) == ["identical", "within tolerance", "other notes"]
    assert verdicts(other | {"data/records": "z"}, reproduce.ALLOWED)[0] == "differs"
    assert verdicts({}, reproduce.ALLOWED)[0] == "differs", "an output that is missing"
    more = reproduce.compare(LOCKED, LOCKED | {"reports/more": "d"}, reproduce.ALLOWED)
    assert more[-1].verdict == "differs", "an output that the lock doesn't have"


def test_another_machine_may_have_another_model_and_what_follows_from_it_but_no_other_data():
    assert reproduce.ALLOWED.keys() == outputs("download", "preprocess")


def test_scores_are_close_within_the_tolerances_and_no_further(settings):
    def metrics(loss, accuracy):
        figures = {"loss": loss, "accuracy": accuracy, "onset_loss": loss * 9}
        return {"valid": {"pieces": figures, "windows": figures}}

    tolerance = changed(settings.reproduce, loss_tolerance=0.03, accuracy_tolerance=0.01)
    assert reproduce.close(metrics(0.5, 0.8), metrics(0.529, 0.791), tolerance)
    assert not reproduce.close(metrics(0.5, 0.8), metrics(0.531, 0.8), tolerance)
    assert not reproduce.close(metrics(0.5, 0.8), metrics(0.5, 0.789), tolerance)
    both = metrics(0.5, 0.8) | {"test": metrics(0.5, 0.8)["valid"]}
    assert not reproduce.close(both, metrics(0.5, 0.8), tolerance)


@pytest.mark.parametrize(
    ("reasons", "loss", "code_of_samples", "verdict"),
    [
        ([], 0.5, "same", "identical"),
        ([], 0.5, "other", "differs"),
        (["the processor has no AVX2"], 0.5, "other", "other notes"),
        (["the processor has no AVX2"], 0.6, "other", "differs"),
    ],
)
def test_the_full_check_holds_a_rebuild_against_the_lock(
    monkeypatch, tmp_path, reasons, loss, code_of_samples, verdict
):
    """A stand-in for the twelve minutes of a build; the clone and its files are real."""
    monkeypatch.setattr(reproduce.environment, "outside_promise", lambda *_: reasons)

    def figures(loss):
        scores = {"loss": loss, "accuracy": 0.8}
        return json.dumps({"test": {"pieces": scores, "windows": scores}})

    class Built(reproduce.Build):
        def __init__(self, project, folder, quick):
            self.folder, self.locked = folder, {"reports/samples": "same"}
            (folder / "reports").mkdir(parents=True)
            (folder / reproduce.METRICS).write_text(figures(0.5))
            (folder / "params.yaml").write_text(committed.settings())
            (folder / reproduce.VERSIONS).parent.mkdir(parents=True)
            (folder / reproduce.VERSIONS).write_text("numpy: 0.0\n")

        def start(self, **options):
            (self.folder / reproduce.METRICS).write_text(figures(loss))

        def outputs(self, building):
            return {"reports/samples": code_of_samples}

    monkeypatch.setattr(reproduce, "Build", Built)
    (row,) = reproduce.full(tmp_path, tmp_path)
    assert row.verdict == verdict


def test_without_a_lock_there_is_nothing_to_compare_with(tmp_path):
    clone = Clone(tmp_path / "kantor")
    (clone.folder / "dvc.lock").unlink()
    clone.commit()
    assert "dvc.lock: HEAD has none; run" in running.kantor(clone.folder, "reproduce")


@pytest.mark.parametrize("content", ["", "schema: '2.0'\n", "stages: [", "stages: {one: 1}", "\0"])
def test_a_damaged_lock_is_told_with_what_mends_it(tmp_path, content):
    (tmp_path / "dvc.lock").write_text(content)
    sentence = running.kantor(tmp_path, "reproduce")
    assert "dvc.lock: empty or damaged" in sentence and "`git checkout dvc.lock`" in sentence


def test_outside_a_repository_it_is_one_sentence(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path)
    sentence = running.kantor(tmp_path, "reproduce")
    assert sentence == f"error: {tmp_path}: can't be cloned; expected a git repository"
