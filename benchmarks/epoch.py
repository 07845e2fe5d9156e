"""Seconds an epoch takes: the notebook's own way and ours, in turn, in one run.

    dvc repro preprocess && python -m benchmarks.epoch

Both train the notebook's network on the same windows in batches of the same size, without
validation. Both start with an epoch that is not counted, since it compiles.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

from benchmarks.beside import notebook
from kantor import model, params, records, runtime, training
from kantor.examples import Windows
from kantor.progress import Progress

ROUNDS = 5
RECORDS = Path("data/records")


def main() -> None:
    variants = yaml.safe_load(Path("study/variants.yaml").read_text())
    settings = params.load(changes=variants["notebook"])
    runtime.pin(settings.threads)
    windows = list(records.read(RECORDS / "train_windows.tfrecord"))
    seconds: dict[str, list[float]] = {"notebook": [], "kantor": []}
    epoch = ours(settings, Windows(windows, None))
    with (
        notebook(np.stack([window.tokens for window in windows])) as theirs,
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


def ours(settings: params.Params, windows: Windows) -> Callable[[int], float]:
    """A function that trains an epoch as kantor.training does, and returns its seconds."""
    twin = training.compiled(model.build(settings.model), settings.train)
    steps = -(-windows.count // settings.train.batch_size)

    def epoch(number: int) -> float:
        started = time.perf_counter()
        inputs, targets = windows.epoch(np.random.default_rng(number))
        with Progress("epoch", steps, "batches") as bar:
            twin.fit(
                inputs,
                targets,
                batch_size=settings.train.batch_size,
                shuffle=False,
                verbose=0,
                callbacks=[training.Step(settings.train, 0, steps, [], bar)],
            )
        return time.perf_counter() - started

    return epoch


if __name__ == "__main__":
    main()
