"""The training of a trial, in a process (study.trial) and a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd

from kantor import params
from kantor.system.errors import KantorError
from kantor.training import checkpoint
from study import run

# The system kills it as soon as the worker that started it is dead (PR_SET_PDEATHSIG).
COMMAND = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "study.trial"]
POLL_SECONDS = 1.0


def identity() -> dict[str, object]:
    """All that losses depend on: trials can't be compared with those of another identity."""
    code = [*(run.PROJECT / "kantor").rglob("*.py"), run.PROJECT / "stages/train.py"]
    settings = params.load(run.PROJECT / "params.yaml")
    content = settings.model_dump(mode="json", include={"seed", "threads", "model", "train"})
    return content | {"records": run.digest(records()), "code": run.digest(code)}


def records() -> list[Path]:
    """The records that trials see; KantorError if the test split is among them, or none is."""
    folder = run.PROJECT / "data/records"
    held_out = False
    with suppress(FileNotFoundError, ValueError):
        held_out = json.loads((folder / "dataset.json").read_text())["held_out_test"]
    if not held_out:
        raise KantorError(
            f"{folder}: expected records without the test split, which a search may not see; set "
            "preprocess.train_on_test to false and run `dvc repro preprocess`"
        )
    return [*folder.glob("train_*"), *folder.glob("valid_*")]


def prepare(folder: Path, changes: dict[str, object], again: bool) -> int:
    """Set up a folder, unless it is left as it was `again` to go on there; the number of epochs."""
    settings = params.load(run.PROJECT / "params.yaml", changes)
    begun = again and (folder / "models").exists()
    if not (begun and params.load(folder / "params.yaml") == settings):
        shutil.rmtree(folder, ignore_errors=True)
        run.settle(folder, changes)
        (folder / "data/records").mkdir(parents=True)
        for path in [*records(), run.PROJECT / "data/records/dataset.json"]:
            (folder / "data/records" / path.name).symlink_to(path)
    return settings.model.members * settings.train.epochs


def train(folder: Path) -> Iterator[float | None]:
    """Train in a folder, and yield the loss on validation windows after each epoch, nats a note,
    and None while there is none. If it fails, KantorError has the last line of its train.log.
    """
    environment = os.environ | {"PYTHONPATH": str(run.PROJECT)}
    log, seen, over = folder / "train.log", 0, False
    with log.open("wb") as out:
        process = subprocess.Popen(COMMAND, cwd=folder, env=environment, stdout=out, stderr=out)
    try:
        while not over:
            over = process.poll() is not None  # before the epochs, so that none is missed
            losses = epochs(folder)
            yield from [*losses[seen:], None]
            seen = len(losses)
            time.sleep(0 if over else POLL_SECONDS)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        lines = log.read_text(errors="replace").splitlines() or ["it printed nothing"]
        raise KantorError(f"{log}: {lines[-1].removeprefix('error: ')}")


def epochs(folder: Path) -> list[float]:
    """The losses of the epochs so far, of all members in turn."""
    if (folder / "reports/training.csv").exists():
        return pd.read_csv(folder / "reports/training.csv")["valid_loss"].tolist()
    paths = sorted((folder / "models/checkpoints").glob("*.npz"), key=lambda path: int(path.stem))
    return [row["valid_loss"] for path in paths for row in checkpoint.history(path)]
