"""A clone of the project in which a search may begin, for the tests of it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pandas as pd
import yaml
from clone import Clone

from study import storage

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


class Searching(Clone):
    """A clone with SEARCH in it, and records that a training which is none can do with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.records = folder / "data/records"
        self.records.mkdir(parents=True)
        for name in ("train_pieces", "valid_pieces", "valid_windows", "test_pieces"):
            (self.records / f"{name}.tfrecord").touch()
        (self.records / "dataset.json").write_text(json.dumps({"held_out_test": True}))
        self.trials = folder / "study/searches/tiny"
        self.report = folder / "reports/study/search/tiny"
        self.write()

    def write(self, **changes: object) -> None:
        """Write search.yaml: SEARCH with some of it changed."""
        (self.folder / "study/search.yaml").write_text(yaml.safe_dump(SEARCH | changes))

    def begin(self, *options: str, seconds: float = 0.0, cards: int = 0) -> subprocess.Popen:
        """Start a worker in whose trials an epoch takes so many seconds."""
        return subprocess.Popen(
            [sys.executable, "tests/quick_search.py", str(seconds), str(cards), *options],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Whoever started the tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def found(self) -> pd.DataFrame:
        """All trials, as they are in the report."""
        return pd.read_csv(self.report / "trials.csv")

    def journal(self) -> optuna.storages.BaseStorage:
        """The journal file of the search."""
        return storage.journal(self.trials)


def end(worker: subprocess.Popen, code: int = 0) -> str:
    """Wait for a worker and its exit code; what it said."""
    said, _ = worker.communicate(timeout=300)
    assert worker.returncode == code, said
    return said


def loaded(storage: optuna.storages.BaseStorage) -> optuna.Study:
    """The search as it stands in a storage."""
    return optuna.load_study(study_name="tiny", storage=storage)


def ended(trials: pd.DataFrame) -> pd.DataFrame:
    """Of all trials those that were not failed."""
    return trials[trials["state"] != "fail"].set_index("trial")
