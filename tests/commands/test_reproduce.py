import json
import re
import shutil
import sys

import pytest
from clone import CONVOLUTIONS, Clone
from conftest import PROJECT, changed

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
        "render.samples.cold.rows": 2,
        "render.samples.medium.rows": 2,
        "render.samples.hot.rows": 2,
        "render.samples.greedy.rows": 2,
        "render.training_chorales": 1,
    }
}


@pytest.fixture
def clone(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.change(QUICKER)
    return clone


def check(clone: Clone, code: int) -> dict[str, str]:
    """Run the quick check; verdicts by output."""
    clone.commit()
    said = clone.run(sys.executable, "-m", "kantor.reproduce", "--quick", code=code)
    rows = re.findall(r"^((?:data|models|reports)/\S+) +(\w+(?: \w+)?) +[0-9a-f]{32}", said, re.M)
    assert len(rows) == 10, said
    return dict(rows)


def plant(clone: Clone, path: str, text: str, wrong: str) -> None:
    file = clone.folder / path
    before = file.read_text()
    assert before.count(text) == 1
    file.write_text(before.replace(text, wrong))


METRICS = "reports/metrics.json"
DATE = (
    "stages/evaluate.py",
    "    metrics = {\n",
    '    metrics = {\n        "date": pd.Timestamp.now().date().isoformat(),\n',
)
UNSEEDED_SAMPLE = ("kantor/sampling.py", "np.random.Philox(piece.seed)", "np.random.Philox()")
UNSORTED_LISTING = (  # strings in a set come by hash
    "stages/download.py",
    "                for key in keys\n",
    "                for key in set(keys)\n",
)


def test_wrong_bytes_turn_the_quick_check_red(clone):
    for path, text, instead in (DATE, UNSEEDED_SAMPLE, UNSORTED_LISTING):
        plant(clone, path, text, instead)
    verdicts = check(clone, code=1)
    found = {output for output, verdict in verdicts.items() if verdict == "differs"}
    planted = {METRICS, "reports/samples", "data/chorales"}
    # What shows the planted is wrong too, and nothing else.
    shown = {"reports/probabilities", "reports/pictures", "reports/index.html"}
    assert planted <= found <= planted | shown
    assert set(verdicts.values()) <= {"identical", "differs"}


LOCKED = {"data/records": "a", "models/chorale.keras": "b", "reports/samples": "c"}


def verdicts(found, allowed):
    return [row.verdict for row in reproduce.compare(LOCKED, found, allowed)]


def test_what_differs_is_allowed_to_only_where_the_machine_does():
    other = {"data/records": "a", "models/chorale.keras": "x", "reports/samples": "y"}
    assert verdicts(LOCKED, {}) == ["identical"] * 3
    assert verdicts(other, {}) == ["identical", "differs", "differs"]
    assert verdicts(other, reproduce.ALLOWED) == ["identical", "within tolerance", "other notes"]
    assert verdicts(other | {"data/records": "z"}, reproduce.ALLOWED)[0] == "differs"
    assert verdicts({}, reproduce.ALLOWED)[0] == "differs", "an output that is missing"
    more = reproduce.compare(LOCKED, LOCKED | {"reports/more": "d"}, reproduce.ALLOWED)
    assert more[-1].verdict == "differs", "an output that the lock does not know"


def test_scores_are_close_within_the_tolerances_and_no_further(chosen):
    def metrics(loss, accuracy):
        figures = {"loss": loss, "accuracy": accuracy, "onset_loss": loss * 9}
        return {"valid": {"pieces": figures, "windows": figures}}

    tolerance = changed(chosen.reproduce, loss_tolerance=0.03, accuracy_tolerance=0.01)
    assert reproduce.close(metrics(0.5, 0.8), metrics(0.529, 0.791), tolerance)
    assert not reproduce.close(metrics(0.5, 0.8), metrics(0.531, 0.8), tolerance)
    assert not reproduce.close(metrics(0.5, 0.8), metrics(0.5, 0.789), tolerance)
    both = metrics(0.5, 0.8) | {"test": metrics(0.5, 0.8)["valid"]}
    assert not reproduce.close(both, metrics(0.5, 0.8), tolerance)


@pytest.mark.parametrize(
    ("machine", "loss", "code_of_samples", "verdict"),
    [
        ("here", 0.5, "same", "identical"),
        ("here", 0.5, "other", "differs"),
        ("there", 0.5, "other", "other notes"),
        ("there", 0.6, "other", "differs"),
    ],
)
def test_the_full_check_holds_a_rebuild_against_the_lock(
    monkeypatch, tmp_path, machine, loss, code_of_samples, verdict
):
    """A stand-in for the twelve minutes of a build; the clone and its files are real."""
    here = {"processor": "here"}
    monkeypatch.setattr(reproduce.environment, "environment", lambda: here)

    def figures(loss):
        scores = {"loss": loss, "accuracy": 0.8}
        return json.dumps({"test": {"pieces": scores, "windows": scores}})

    class Built(reproduce.Build):
        def __init__(self, project, folder, quick):
            self.folder, self.locked = folder, {"reports/samples": "same"}
            (folder / "reports").mkdir(parents=True)
            (folder / "reports/environment.json").write_text(json.dumps({"processor": machine}))
            (folder / reproduce.METRICS).write_text(figures(0.5))
            shutil.copy(PROJECT / "params.yaml", folder)

        def start(self, **options):
            (self.folder / reproduce.METRICS).write_text(figures(loss))

        def outputs(self, building):
            return {"reports/samples": code_of_samples}

    monkeypatch.setattr(reproduce, "Build", Built)
    (row,) = reproduce.full(tmp_path, tmp_path)
    assert row.verdict == verdict


def test_without_a_record_of_the_environment_nothing_is_excused(tmp_path):
    clone = Clone(tmp_path / "kantor")
    (clone.folder / "reports/environment.json").unlink()
    clone.commit()
    said = clone.run(sys.executable, "-m", "kantor.reproduce", code=1)
    assert "reports/environment.json: HEAD has none" in said
