"""Where the key of a piece is unknown: the mean over all keys, and over copies of the piece.

A network that is told a key predicts better than one that isn't. So what it predicts in each key
is averaged, and a key counts by how likely it makes the notes so far: the predictive distribution
of Bayes, where all keys are as likely before the first note.

And a network errs a little differently when it sees the same piece some semitones higher or lower.
So it reads *copies* of the piece, too, which are transposed. The mean of what it predicts for them
is better than each of them, as the mean of several networks is (test-time augmentation: Krizhevsky,
Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012). By
the rule of Bayes only one of them would count after some rows, and the gain would be lost. So a
note has only the share EVIDENCE of its weight by that rule. That is enough to leave out copies with
notes that are higher or lower than any in training.

Copies are read in no key: in all keys they would take several times as long. So their mean is
multiplied, note by note, by a factor from the piece as it stands: its probability in all keys over
that in no key.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kantor.chorale import SILENCE, VOCABULARY_SIZE, VOICES
from kantor.network.lookback import TOKEN_HINTS
from kantor.plan import KEYS
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras, tf

    Tensor = keras.KerasTensor | tf.Tensor

SEMITONES = (1, -1, 2, -2, 3, -3)  # by which copies are higher than the piece
EVIDENCE = 0.1  # share of a note's weight by the rule of Bayes, where copies are weighed
READINGS = len(KEYS) + len(SEMITONES)  # of a piece: in no key, in each key, the copies
SMALLEST = np.finfo(np.float32).tiny  # of probabilities whose logs are summed
FIRST_PITCH, LAST_PITCH = SILENCE + 1, VOCABULARY_SIZE - 1  # tokens
MIXTURE = "readings"  # names the layer of readings, in files that have a mixture


def all_keys(rows: "keras.KerasTensor") -> "keras.KerasTensor":
    """All keys for each of some rows, int (batch, rows, 4): int (batch, rows, 25, 2)."""
    ops = runtime.keras.ops
    return ops.expand_dims(ops.zeros_like(rows[:, :, :1]), 3) + KEYS


def copies(values: "Tensor") -> "list[Tensor]":
    """The copies of tokens, int (..., 4), or of hints for them, int (..., hints). The first and the
    last pitch stand for those beyond.
    """
    ops = runtime.keras.ops
    pitches = ops.logical_and(values >= FIRST_PITCH, values <= LAST_PITCH)
    pitches = ops.logical_and(pitches, np.arange(values.shape[-1]) < TOKEN_HINTS)
    moved = [ops.clip(values + by, FIRST_PITCH, LAST_PITCH) for by in SEMITONES]
    return [ops.where(pitches, copy, values) for copy in moved]


def brought_back(of_copies: "Sequence[Tensor]") -> "Tensor":
    """Probabilities of the notes of each copy, (..., 47), as those of the piece's own notes,
    (..., 6, 47). Notes that a copy can't have get 0.
    """
    ops = runtime.keras.ops
    farthest = max(map(abs, SEMITONES))
    around = [(0, 0)] * (len(of_copies[0].shape) - 1) + [(farthest, farthest)]
    result = []
    for predicted, by in zip(of_copies, SEMITONES, strict=True):
        pitches = ops.pad(predicted[..., FIRST_PITCH:], around)
        pitches = pitches[..., farthest + by : farthest + by + LAST_PITCH]
        result.append(ops.concatenate([predicted[..., :FIRST_PITCH], pitches], axis=-1))
    return ops.stack(result, axis=-2)


def logs(readings: "Tensor", tokens: "Tensor") -> "Tensor":
    """The logs (..., readings) of what readings (..., readings, 47) give tokens, int (...), less
    that of the first reading, which is in no key.
    """
    ops = runtime.keras.ops
    own = ops.sum(readings * ops.expand_dims(ops.one_hot(tokens, VOCABULARY_SIZE), -2), axis=-1)
    own = ops.log(ops.maximum(own, SMALLEST))
    # Only differences count, and in a long sum of the logs themselves they would be rounded away.
    return own - own[..., :1]


def mean(predicted: "Tensor", sums: "Tensor") -> "Tensor":
    """The mean (..., 47) of n predictions (..., n, 47), weighed by how likely each has made the
    notes before: `sums` (..., n) are the sums of their logs, less what they have in common.
    """
    ops = runtime.keras.ops
    return ops.sum(predicted * ops.expand_dims(ops.softmax(sums), -1), axis=-2)


def geometric_mean(predictions: "Sequence[Tensor]") -> "Tensor":
    """The geometric mean of one or more probabilities (..., 47), scaled to a sum of 1."""
    if not predictions[1:]:
        return predictions[0]
    ops = runtime.keras.ops
    own_logs = [ops.log(ops.maximum(predicted, SMALLEST)) for predicted in predictions]
    return ops.softmax(sum(own_logs[1:], own_logs[0]) / len(own_logs))


def guided(
    base: "Tensor", told: "Tensor", untold: "Tensor", guidance: "Tensor | float" = 1.0
) -> "Tensor":
    """The probabilities base * (told / untold) ** guidance, (..., 47), scaled to a sum of 1."""
    ops = runtime.keras.ops
    base, told, untold = (ops.log(ops.maximum(one, SMALLEST)) for one in (base, told, untold))
    return ops.softmax(base + guidance * (told - untold))


def joined(readings: "Tensor", sums: "Tensor") -> "Tensor":
    """Probabilities of notes (..., 47), from READINGS of them, (..., 31, 47), and the sums of the
    `logs` of the notes before, (..., 31).
    """
    ops = runtime.keras.ops
    keys, first = slice(0, len(KEYS)), slice(0, 1)
    of_copies = mean(
        ops.concatenate([readings[..., first, :], readings[..., len(KEYS) :, :]], axis=-2),
        ops.concatenate([sums[..., first], sums[..., len(KEYS) :]], axis=-1) * EVIDENCE,
    )
    return guided(of_copies, mean(readings[..., keys, :], sums[..., keys]), readings[..., 0, :])


def mixed(
    in_keys: "keras.KerasTensor", of_copies: "keras.KerasTensor", rows: "keras.KerasTensor"
) -> "keras.KerasTensor":
    """Probabilities of the notes of rows, int (batch, rows, 4), each from the notes before it,
    (batch, rows, 4, 47); from those of the rows in all keys, (batch, rows, 25, 4, 47), and those of
    their copies, one after the other, in no key, (6 * batch, rows, 1, 4, 47).
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    in_keys = ops.transpose(in_keys, (0, 1, 3, 2, 4))
    of_copies = brought_back(ops.split(of_copies[:, :, 0], len(SEMITONES), axis=0))
    readings = ops.concatenate([in_keys, of_copies], axis=3)
    own_logs = layers.Reshape((-1, READINGS), name="logs")(logs(readings, rows))
    before = ops.pad(own_logs, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    by_note = layers.Reshape((-1, READINGS, VOCABULARY_SIZE), name=MIXTURE)(readings)
    by_row = layers.Reshape((-1, len(VOICES), VOCABULARY_SIZE), name="in_any_key")
    return by_row(joined(by_note, ops.cumsum(before, axis=1)))
