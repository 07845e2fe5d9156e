"""Where the key of a piece is unknown: the mean over all keys that it may be in.

A network that is told a key predicts better than one that isn't. So what it predicts in each key
is averaged, and a key counts by how likely it makes the notes so far: the predictive distribution
of Bayes, where all keys are as likely before the first note.
"""

from typing import TYPE_CHECKING

import numpy as np

from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.plan import KEYS
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras

SMALLEST = np.finfo(np.float32).tiny  # of probabilities whose logs are summed


def all_keys(rows: "keras.KerasTensor") -> "keras.KerasTensor":
    """All keys for each of some rows, int (batch, rows, 4): int (batch, rows, 25, 2)."""
    ops = runtime.keras.ops
    return ops.expand_dims(ops.zeros_like(rows[:, :, :1]), 3) + KEYS


def mixed(in_keys: "keras.KerasTensor", rows: "keras.KerasTensor") -> "keras.KerasTensor":
    """Probabilities of notes (batch, rows, 4, 47), from those in all keys (batch, rows, 25, 4, 47)
    and the notes themselves, int (batch, rows, 4); each from the notes before it.
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    count = len(KEYS)
    in_keys = ops.transpose(in_keys, (0, 1, 3, 2, 4))
    own = ops.expand_dims(ops.one_hot(rows, VOCABULARY_SIZE), 3)
    logs = ops.log(ops.maximum(ops.sum(in_keys * own, axis=4), SMALLEST))
    logs = layers.Reshape((-1, count), name="logs_in_keys")(logs)
    before = ops.pad(logs, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    weights = ops.expand_dims(ops.softmax(ops.cumsum(before, axis=1), axis=2), 3)
    notes = layers.Reshape((-1, count, VOCABULARY_SIZE), name="notes_in_keys")(in_keys)
    notes = ops.sum(notes * weights, axis=2)
    return layers.Reshape((-1, len(VOICES), VOCABULARY_SIZE), name="in_any_key")(notes)
