"""`python -m study.search` in whose trials nothing is trained: for tests of all around it.

    python tests/helpers/quick_search.py PROJECT SECONDS DIES ...

It searches in PROJECT. An epoch takes SECONDS, and its loss follows from the settings. The worker
dies in the middle of the trial DIES; of none if that is -1.
"""

import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).resolve()


def search() -> None:
    """Search, with this file's `train` in place of the training."""
    sys.path.insert(0, str(HERE.parent.parent.parent))
    project, seconds, dies = Path(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1)
    from kantor.system import errors, progress
    from study import run, search, training, trials

    run.PROJECT, trials.DEAD_AFTER = project, 6
    training.COMMAND[-2:] = [str(HERE), seconds]
    training.POLL_SECONDS, progress.QUIET_SECONDS = 0.05, 0
    if dies != "-1":
        training.train = lambda folder: within(folder, dies)
    errors.run(search.main)


def within(folder: Path, dies: str = "") -> Iterator[float]:
    """What study.training.train does, in this process."""
    from kantor.system.errors import KantorError
    from study import training

    try:
        for epoch in train(folder):
            if epoch == 2 and folder.name == dies:
                os.kill(os.getpid(), signal.SIGKILL)
    except SystemExit as error:
        message = str(error).removeprefix("error: ")
        raise KantorError(f"{folder}/train.log: {message}") from None
    yield from training.epochs(folder)


def train(folder: Path, seconds: float = 0.0) -> Iterator[int]:
    """Leave behind what study.trial does; on the way checkpoints, that go when it is trained.
    Yields each epoch's number; those that a checkpoint has are not done again.
    """
    settings = yaml.safe_load((folder / "params.yaml").read_text())["train"]
    if settings["batch_size"] == 13:
        sys.exit("error: params.yaml: thirteen can't be trained")
    if settings["batch_size"] == 14:
        sys.exit("error: no space left on device")
    away = abs(math.log(settings["learning_rate"] / 0.004))
    checkpoint = folder / "models/checkpoints/1.npz"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    history = json.loads(str(np.load(checkpoint)["history"])) if checkpoint.exists() else []
    with (folder / "begun").open("a") as file:
        file.write(f"{os.getpid()} from epoch {len(history) + 1}\n")
    for epoch in range(len(history) + 1, settings["epochs"] + 1):
        time.sleep(seconds)
        history.append({"epoch": epoch, "valid_loss": 0.4 + away + 1 / epoch})
        np.savez(folder / "fresh.npz", history=json.dumps(history))
        (folder / "fresh.npz").replace(checkpoint)
        yield epoch
    (folder / "reports").mkdir(exist_ok=True)
    lines = ["member,epoch,valid_loss"]
    lines += [f"1,{row['epoch']},{row['valid_loss']:.6g}" for row in history]
    (folder / "fresh.csv").write_text("\n".join(lines) + "\n")
    (folder / "fresh.csv").replace(folder / "reports/training.csv")
    shutil.rmtree(checkpoint.parent)
    (folder / "reports/valid.json").write_text(json.dumps({"loss": 0.3 + away}))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        list(train(Path(), float(sys.argv[1])))
    else:
        search()
