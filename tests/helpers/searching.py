"""A small project in which a search may begin, for the tests of it."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pandas as pd
import sqlalchemy
import yaml

from helpers.project import PROJECT
from helpers.quick_search import within
from study import run, search, space, training, trials

SEARCH = {
    "name": "tiny",
    "trials": 12,
    "seed": 3,
    "changes": {"train.epochs": 3},
    "space": {
        "train.learning_rate": {"low": 0.001, "high": 0.01, "log": True},
        "model.row_gru.units": {"choices": [[8, 8], [4]]},
        "train.batch_size": {"low": 16, "high": 32},
    },
    "pruning": {"startup_trials": 4, "warmup_epochs": 1},
}


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "connect")
def _leave_to_the_system(connection, _) -> None:
    """Write without waiting for the disk, which only matters if the power fails."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


class Searching:
    """A project with SEARCH in it, and records that a training which is none can do with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.records = folder, folder / "data/records"
        for name in ("data/records", "study", "kantor/inner", "stages"):
            (folder / name).mkdir(parents=True)
        for name in ("train_pieces", "valid_pieces", "valid_windows", "test_pieces"):
            (self.records / f"{name}.tfrecord").touch()
        (self.records / "dataset.json").write_text(json.dumps({"held_out_test": True}))
        for name in ("kantor/inner/code.py", "stages/train.py"):
            (folder / name).touch()
        shutil.copy(PROJECT / "params.yaml", folder)
        self.trials = folder / "study/searches/tiny"
        self.report = folder / "reports/study/search/tiny"
        self.url = f"sqlite:///{self.trials}/trials.db"
        self.write()

    def write(self, **changes: object) -> None:
        """Write search.yaml: SEARCH with some of it changed."""
        (self.folder / "study/search.yaml").write_text(yaml.safe_dump(SEARCH | changes))

    def search(self, monkeypatch, *options: str) -> None:
        """Search in this process, with trainings that are none."""
        with monkeypatch.context() as patch:
            self.patch(patch)
            patch.setattr(sys, "argv", ["search", *options])
            search.main()

    def patch(self, monkeypatch) -> None:
        """Let the modules of the search work in this project, quickly."""
        monkeypatch.setattr(run, "PROJECT", self.folder)
        monkeypatch.setattr(training, "train", within)
        monkeypatch.setattr(training, "POLL_SECONDS", 0.05)
        monkeypatch.setattr(trials, "DEAD_AFTER", 2)

    def worker(self, *options: str, seconds: float = 0.0, dies: int = -1) -> subprocess.Popen:
        """Start a worker whose trials take `seconds` for an epoch; see quick_search.py."""
        script = PROJECT / "tests/helpers/quick_search.py"
        return subprocess.Popen(
            [sys.executable, script, self.folder, str(seconds), str(dies), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Whoever started the tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def asked(self) -> space.Search:
        """What search.yaml asks for."""
        return space.load(self.folder / "study/search.yaml", self.folder / "params.yaml")

    def study(self) -> optuna.Study:
        """The search as one worker of several finds it; within `patch`."""
        return trials.begin(self.asked(), training.identity(), self.url, alone=False)

    def table(self) -> pd.DataFrame:
        """All attempts, as they are in the report."""
        return pd.read_csv(self.report / "trials.csv")


def end(worker: subprocess.Popen, code: int = 0) -> str:
    """Wait for a worker and its exit code; what it printed."""
    printed, _ = worker.communicate(timeout=300)
    assert worker.returncode == code, printed
    return printed


def ended(table: pd.DataFrame) -> pd.DataFrame:
    """Of all attempts those that have not failed, by place."""
    return table[table["state"] != "fail"].set_index("trial")
