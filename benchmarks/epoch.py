"""Seconds an epoch takes: the notebook's own way and ours, in turn, in one run.

    dvc repro preprocess && python -m benchmarks.epoch

Both train the same network on the same windows in the same batches, without validation. Both
start with an epoch that is not counted, since it compiles.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kantor import model, params, records, runtime, training
from kantor.progress import Progress

ROUNDS = 5
RECORDS = Path("data/records")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    notes = records.dataset(RECORDS)["window_notes"]
    windows = records.arpeggios(RECORDS / "train_windows.tfrecord", notes).cache()
    seconds: dict[str, list[float]] = {"notebook": [], "kantor": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.npy"
        np.save(path, list(windows.as_numpy_iterator()))
        plain = {k: v for k, v in os.environ.items() if not k.startswith(runtime.STEERING)}
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.notebook", str(path)],
            env=plain,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as notebook:
            epoch = ours(settings, windows)
            with Progress("measure", ROUNDS + 1, "rounds") as progress:
                for count in range(ROUNDS + 1):
                    print("epoch", file=notebook.stdin, flush=True)
                    times = {"notebook": float(notebook.stdout.readline()), "kantor": epoch()}
                    progress.advance()
                    for name in seconds if count else ():
                        seconds[name].append(times[name])
            notebook.stdin.close()
    for name, times in seconds.items():
        print(
            f"{name:9} {statistics.median(times):6.1f} s an epoch, median of {ROUNDS} "
            f"({min(times):.1f} to {max(times):.1f})"
        )
    ratios = [a / b for a, b in zip(seconds["notebook"], seconds["kantor"], strict=True)]
    print(f"ratio     {statistics.median(ratios):6.2f}, median of the rounds")


def ours(settings: params.Params, windows: runtime.tf.data.Dataset) -> Callable[[], float]:
    """A function that trains an epoch as kantor.training does, and returns its seconds."""
    twin = training.compiled(model.build(settings.model), settings.train)
    count = int(windows.reduce(0, lambda count, _: count + 1))
    batches = training.batches(windows.shuffle(count), settings.train.batch_size)
    steps = -(-count // settings.train.batch_size)

    def epoch() -> float:
        started = time.perf_counter()
        with Progress("epoch", steps, "batches") as bar:
            step = training._Step(settings.train, 0, steps, [], bar)
            twin.fit(batches, verbose=0, shuffle=False, callbacks=[step])
        return time.perf_counter() - started

    return epoch


if __name__ == "__main__":
    main()
