"""Seconds an epoch takes: the notebook's own way and ours, in turn, in one run.

    dvc repro preprocess && python -m benchmarks.epoch

Both train the notebook's network on the same windows in batches of the same size, without
validation. Both start with an epoch that is not counted, since it compiles.
"""

import statistics
from pathlib import Path

import numpy as np

import study
from benchmarks import ours
from benchmarks.beside import notebook
from kantor import params
from kantor.data import records
from kantor.network import model
from kantor.system import errors, runtime
from kantor.system.progress import Progress
from kantor.training.examples import Windows

ROUNDS = 5
RECORDS = Path("data/records")


def main() -> None:
    settings = params.load(changes=study.variants()["notebook"])
    runtime.pin(settings.threads)
    windows = list(records.read(RECORDS / "train_windows.tfrecord"))
    seconds: dict[str, list[float]] = {"notebook": [], "kantor": []}
    parts = model.parts(model.build(settings.model))
    _, epoch = ours.epochs(parts.members[0], Windows(windows, parts), settings.train)
    with (
        notebook(np.stack([window.tokens.ravel() for window in windows])) as theirs,
        Progress("measure", ROUNDS + 1, "rounds") as progress,
    ):
        for count in range(ROUNDS + 1):
            times = {"notebook": theirs.epoch(), "kantor": epoch(count)}
            progress.advance()
            for name in seconds if count else ():
                seconds[name].append(times[name])
    for name, times in seconds.items():
        print(
            f"{name:9} {statistics.median(times):6.1f} s an epoch, median of {ROUNDS} "
            f"({min(times):.1f} to {max(times):.1f})"
        )
    ratios = [a / b for a, b in zip(seconds["notebook"], seconds["kantor"], strict=True)]
    print(f"ratio     {statistics.median(ratios):6.2f}, median of the rounds")


if __name__ == "__main__":
    errors.run(main)
