"""The memory that is taken, beside what is estimated before it is.

    dvc repro preprocess && python -m benchmarks.memory training
    dvc repro train && python -m benchmarks.memory composing

Each training is the stage's own, of one epoch; what composes is `kantor compose`. Each has a
process and a folder of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kantor import params
from kantor.sampling import needs as composing
from kantor.system import errors
from kantor.system.memory import GIGABYTE
from kantor.training import needs as training
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
# Rows and particles of a piece.
COMPOSED = [(256, 1), (256, 256), (256, 1024), (256, 4096), (1024, 256), (1024, 1024), (4096, 256)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("training", "composing"))
    what = parser.parse_args().what
    print(f"{what} | estimated, GB | taken, GB")
    for name, estimated, measured in trainings() if what == "training" else compositions():
        print(f"{name} | {estimated / GIGABYTE:.2f} | {measured / GIGABYTE:.2f}", flush=True)


def trainings() -> Iterator[tuple[str, float, int]]:
    """What each is called, and the bytes that are estimated for it and that it takes."""
    for name, changes in CHANGES.items():
        changes = ONE_EPOCH | changes
        yield name, training.needed(params.load(changes=changes)), trained(changes)


def compositions() -> Iterator[tuple[str, float, int]]:
    """As `trainings`."""
    for rows, particles in COMPOSED:
        name = f"{rows} rows with {particles} particles"
        yield name, composing.needed(1, rows, particles), composed(rows, particles)


def trained(changes: dict[str, object]) -> int:
    """The bytes that a training takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run.settle(folder, changes)
        run.link(folder, run.PROJECT)
        return taken([sys.executable, "-m", "stages.train"], folder)


def composed(rows: int, particles: int) -> int:
    """The bytes that it takes to compose a piece."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "kantor", "compose", f"{name}/piece"]
        # A plan that asks for something, so that there is guidance.
        command += ["--metre", "4/4", "--pickup", "0", "--bars", str(rows // 16)]
        command += ["--particles", str(particles)]
        return taken(command, run.PROJECT)


def taken(command: list[str], folder: Path) -> int:
    """The largest resident set of a process, in bytes."""
    environment = os.environ | {"PYTHONPATH": str(run.PROJECT)}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    printed = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise errors.KantorError(printed.splitlines()[-1])
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    errors.run(main)
