"""Seconds an epoch takes: the notebook's own way and ours, in turn, in one run.

    dvc repro preprocess && python -m benchmarks.epoch

The notebook's way is the same network, optimiser, windows and batches in plain Keras: stock
layers, `fit` with its defaults, a tf.data pipeline that shuffles through a buffer of 1,000.
Both start with an epoch that is not counted, since it compiles.
"""

import statistics
import sys
import time
from pathlib import Path

from kantor import model, params, records, runtime, training
from kantor.runtime import tf

ROUNDS = 5
RECORDS = Path("data/records")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    notes = (settings.preprocess.window + 1) * 4
    windows = records.arpeggios(RECORDS / "train_windows.tfrecord", notes).cache()
    ways = {"notebook": notebooks(settings, windows), "kantor": ours(settings, windows)}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for count in range(ROUNDS + 1):
        for name, epoch in ways.items():
            started = time.perf_counter()
            epoch()
            if count:
                seconds[name].append(time.perf_counter() - started)
        print(f"round {count} of {ROUNDS}", file=sys.stderr)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        print(f"{name:9} {medians[name]:6.1f} s an epoch ({min(times):.1f} to {max(times):.1f})")
    print(f"ratio     {medians['notebook'] / medians['kantor']:6.2f}")


def notebooks(settings: params.Params, windows: tf.data.Dataset):
    """An epoch of training as the notebook does it."""
    network = model.build(settings.model)
    network.compile("nadam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = (
        windows.shuffle(1000)
        .batch(settings.train.batch_size)
        .map(lambda tokens: (tokens[:, :-1], tokens[:, 1:]))
        .prefetch(1)
    )
    return lambda: network.fit(batches, verbose=0, shuffle=False)


def ours(settings: params.Params, windows: tf.data.Dataset):
    """An epoch of training as kantor.training does it, without its validation."""
    twin = training.compiled(model.build(settings.model), settings.train)
    count = int(windows.reduce(0, lambda count, _: count + 1))
    batches = training.batches(windows.shuffle(count), settings.train.batch_size)
    return lambda: twin.fit(batches, verbose=0, shuffle=False)


if __name__ == "__main__":
    main()
