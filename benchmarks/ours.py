"""Our way of training, an epoch at a time, for benchmarks to time."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kantor.data import records
from kantor.network.model import Parts
from kantor.params import Train
from kantor.system import runtime
from kantor.system.progress import Progress
from kantor.training import loop
from kantor.training.examples import Crops, Windows

PIECES = Path("data/records/train_pieces.tfrecord")


def one_pass(parts: Parts, settings: Train) -> Crops:
    """Crops of the training pieces, of which an epoch has one pass, whatever the setting."""
    crops = settings.crops.model_copy(update={"passes": 1})
    return Crops(list(records.read(PIECES)), parts, crops, settings.batch_size)


def epochs(
    member: runtime.keras.Model, examples: Windows | Crops, settings: Train, passes: int = 1
) -> tuple[runtime.keras.Model, Callable[[int], float]]:
    """The copy of `member` that is trained, and a function that trains it on the draw of this
    number as kantor.training does, without validation, and returns the seconds.

    The learning rate counts `passes` passes, a draw each, as one epoch.
    """
    copy = loop.compiled(member, settings)
    steps = math.ceil(examples.count / settings.batch_size)

    def epoch(number: int) -> float:
        started = time.perf_counter()
        drawn = examples.epoch(np.random.default_rng(number))
        with Progress("ours", steps, "batches") as bar:
            step = loop.Step(settings, number / passes, steps * passes, [], bar)
            loop.fit(copy, drawn, step)
        return time.perf_counter() - started

    return copy, epoch
