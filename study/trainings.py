"""The training of a trial: in a process (study.trial) and folder of its own, on the training and
validation records alone.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd

from kantor import params
from kantor.system.errors import KantorError
from kantor.training import checkpoint
from study import run

RECORDS = run.PROJECT / "data/records"
COMMAND = [sys.executable, "-m", "study.trial"]
DEPENDS = {"seed", "threads", "model", "train"}  # what a training depends on in params.yaml
COUNT_CARDS = "from kantor import runtime; print(runtime.cards())"


def on_all(cards: int, changes: dict[str, object]) -> dict[str, object]:
    """The changes, with a replica on as many cards as can share a batch evenly."""
    if cards < 2 or "train.replicas" in changes:
        return changes
    batch = params.load(run.PROJECT / "params.yaml", changes).train.batch_size
    most = max(count for count in range(1, cards + 1) if batch % count == 0)
    return changes | {"train.replicas": most}


def records() -> str:
    """A digest of the records that trials see; KantorError if there are none to search on."""
    try:
        held_out = json.loads((RECORDS / "dataset.json").read_text())["held_out_test"]
    except (FileNotFoundError, ValueError):
        raise KantorError(
            f"{RECORDS}: no records there, or damaged ones; run `dvc repro preprocess` first"
        ) from None
    if not held_out:
        raise KantorError(
            f"{RECORDS}: the test split is among the training records, and a search may not see "
            "it; set preprocess.train_on_test to false and run `dvc repro preprocess`"
        )
    return run.digest(seen())


def code() -> str:
    """A digest of the code that trials train with: what another trained can't be compared."""
    return run.digest([*run.PROJECT.glob("kantor/*.py"), run.PROJECT / "stages/train.py"])


def seen() -> list[Path]:
    """The records that a trial is given."""
    return sorted([*RECORDS.glob("train_*"), *RECORDS.glob("valid_*")])


def prepare(folder: Path, changes: dict[str, object], again: bool) -> None:
    """A folder with the settings, and the records but those of the test split.

    If the trial is tried `again`, a training that was begun there with these settings goes on;
    of one that is over, the model is gone.
    """
    settings = params.load(run.PROJECT / "params.yaml", changes)
    try:
        before = params.load(folder / "params.yaml").model_dump(include=DEPENDS)
    except KantorError:
        before = None
    begun = again and (folder / "models").exists()
    if folder.exists() and not (begun and before == settings.model_dump(include=DEPENDS)):
        shutil.rmtree(folder)
    run.settle(folder, changes)
    (folder / "data/records").mkdir(parents=True, exist_ok=True)
    for path in seen():
        link = folder / "data/records" / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def start(folder: Path) -> subprocess.Popen:
    """Begin the training in a folder; it dies with this process."""
    libc = ctypes.CDLL(None)
    die_with_parent = 1  # PR_SET_PDEATHSIG of prctl(2)
    with (folder / "train.log").open("wb") as log:
        return subprocess.Popen(
            COMMAND,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(run.PROJECT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: libc.prctl(die_with_parent, signal.SIGKILL),
        )


def end(process: subprocess.Popen) -> None:
    """See to it that a training has ended."""
    process.kill()
    process.wait()


def epochs(folder: Path) -> list[dict[str, float]]:
    """The history so far, of all members in turn."""
    finished = folder / "reports/training.csv"
    if finished.exists():
        return pd.read_csv(finished).to_dict("records")
    paths = (folder / "models/checkpoints").glob("*.npz")
    members = sorted(paths, key=lambda path: int(path.stem))
    return [row for path in members for row in checkpoint.history(path)]


def last_epoch(folder: Path) -> int:
    """How many epochs the training in a folder has, of all members in turn."""
    settings = params.load(folder / "params.yaml")
    return settings.model.members * settings.train.epochs


def loss(folder: Path) -> float:
    """What a trial is judged by: the loss on the validation pieces, nats a note."""
    return json.loads((folder / "reports/valid.json").read_text())["loss"]


def cards() -> int:
    """How many graphics cards there are, asked in a process that then lets go of them."""
    command = [sys.executable, "-c", COUNT_CARDS]
    said = subprocess.run(command, cwd=run.PROJECT, capture_output=True, text=True).stdout.strip()
    return int(said) if said.isdigit() else 0
