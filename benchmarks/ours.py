"""Our way of training, an epoch at a time, for benchmarks to time."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kantor import records, runtime, training
from kantor.examples import Crops, Windows
from kantor.params import Train
from kantor.progress import Progress

PIECES = Path("data/records/train_pieces.tfrecord")


def one_pass(recall: runtime.keras.Model, settings: Train) -> Crops:
    """Crops of the training pieces that make up one pass at a time, not the setting's many."""
    crops = settings.crops.model_copy(update={"passes": 1})
    return Crops(list(records.read(PIECES)), recall, crops, settings.batch_size)


def epochs(
    core: runtime.keras.Model, examples: Windows | Crops, settings: Train, passes: int = 1
) -> tuple[runtime.keras.Model, Callable[[int], float]]:
    """The twin of `core` that is trained, and a function that trains it on the draw of this
    number as kantor.training does, without validation, and returns the seconds.

    The learning rate counts so many `passes`, a draw each, as one epoch.
    """
    twin = training.compiled(core, settings)
    steps = math.ceil(examples.count / settings.batch_size)

    def epoch(number: int) -> float:
        started = time.perf_counter()
        drawn = examples.epoch(np.random.default_rng(number))
        with Progress("ours", steps, "batches") as bar:
            step = training.Step(settings, number / passes, steps * passes, [], bar)
            training.fit(twin, drawn, step)
        return time.perf_counter() - started

    return twin, epoch
