"""`python -m study.search` in whose trials nothing is trained: for tests of all around it.

    python tests/quick_search.py SECONDS CARDS ...

Each epoch takes so many seconds, and what it is worth follows from the settings. The machine is
said to have so many graphics cards.
"""

import json
import math
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import yaml

HERE = Path(__file__).resolve()


def search() -> None:
    """Search, with this file's `train` in place of the training."""
    sys.path.insert(0, str(HERE.parent.parent))
    seconds, cards = sys.argv.pop(1), int(sys.argv.pop(1))
    from kantor.system import errors, progress
    from study import search, trainings

    trainings.COMMAND = [sys.executable, str(HERE), "train", seconds]
    search.POLL_SECONDS = 0.05
    progress.QUIET_SECONDS = 0
    trainings.cards = lambda: cards
    errors.run(search.main)


def train(seconds: float) -> None:
    """Leave behind what study.trial does; on the way checkpoints, that go when it is trained."""
    settings = yaml.safe_load(Path("params.yaml").read_text())["train"]
    if settings["batch_size"] == 13:
        sys.exit("error: params.yaml: thirteen can't be trained")
    if settings["batch_size"] == 14:
        sys.exit("error: no space left on device")
    with Path("begun").open("a") as file:
        file.write(f"{time.time()}\n")
    away = abs(math.log(settings["learning_rate"] / 0.004))
    checkpoint = Path("models/checkpoints/1.npz")
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    history = []
    for epoch in range(1, settings["epochs"] + 1):
        time.sleep(seconds)
        history.append({"epoch": epoch, "valid_loss": 0.4 + away + 1 / epoch})
        np.savez("fresh.npz", history=json.dumps(history))
        Path("fresh.npz").replace(checkpoint)
    Path("reports").mkdir(exist_ok=True)
    lines = ["member,epoch,valid_loss"]
    lines += [f"1,{row['epoch']},{row['valid_loss']:.6g}" for row in history]
    Path("fresh.csv").write_text("\n".join(lines) + "\n")
    Path("fresh.csv").replace("reports/training.csv")
    shutil.rmtree(checkpoint.parent)
    Path("reports/valid.json").write_text(json.dumps({"loss": 0.3 + away}))


if __name__ == "__main__":
    train(float(sys.argv[2])) if sys.argv[1] == "train" else search()
