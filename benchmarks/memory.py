"""The memory that trainings take, beside what kantor.training.needs estimates before they begin.

    dvc repro preprocess && python -m benchmarks.memory

Each training is the stage's own, of one epoch, in a process and a folder of its own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kantor import params
from kantor.system import errors
from kantor.system.memory import GIGABYTE
from kantor.training import needs
from study import run

ONE_EPOCH = {"train.epochs": 1, "train.schedule.warmup_epochs": 0, "train.crops.passes": 1}
CHANGES = {
    "the default": {},
    "five passes": {"train.crops.passes": 5},
    "two networks": {"model.members": 2},
    "units 1024": {"model.row_gru.units": [1024]},
    "batches of 96": {"train.batch_size": 96},
    "crops of 512 rows": {"train.crops.rows": 512},
    "the notebook's network": {
        "model.architecture": "wavenet_lstm",
        "train.examples": "windows",
        "train.batch_size": 32,
    },
    "its windows of 128 rows": {
        "model.architecture": "wavenet_lstm",
        "train.crops.rows": 128,
        "train.batch_size": 64,
    },
}


def main() -> None:
    print("training | estimated, GB | taken, GB")
    for name, changes in CHANGES.items():
        changes = ONE_EPOCH | changes
        settings = params.load(changes=changes)
        print(
            f"{name} | {needs.needed(settings) / GIGABYTE:.2f} | {taken(changes) / GIGABYTE:.2f}",
            flush=True,
        )


def taken(changes: dict[str, object]) -> int:
    """The largest resident set of a training, in bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run.settle(folder, changes)
        run.link(folder, run.PROJECT)
        environment = os.environ | {"PYTHONPATH": str(run.PROJECT)}
        command = [sys.executable, "-m", "stages.train"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        printed = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise errors.KantorError(printed.splitlines()[-1])
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    errors.run(main)
