"""What a network makes of the plan of a piece (kantor.plan).

Bars, phrases and rows left go into the network as they are. Where the key is known, notes also have
degrees, semitones above the tonic, and a small layer scores the next degree of each voice by the
mode and by the degrees that are near: of the row before, and of the voices above. It sees no more
than that. With degrees for all that the network reads, transposing pieces would make no new ones,
and it would learn them by heart. How phrases and pieces end is a RULE: a number for each degree,
mode and distance from the end, which weight decay would not let grow as large as it has to be.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kantor.chorale import LOWEST, SILENCE, VOCABULARY_SIZE, VOICES
from kantor.network.architecture import RULE
from kantor.plan import BAR, LEFT, MODE, MODES, PHRASE, PLACE, UNKNOWN
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras

LONGEST_BAR = 32  # rows; longer ones, and later places, count as this
FARTHEST = 40  # rows; a farther end is as far as this
OCTAVE = 12
NO_PITCH, NO_KEY = OCTAVE, OCTAVE + 1  # in place of a degree
DEGREES = OCTAVE + 2
PITCHES = np.arange(VOCABULARY_SIZE, dtype=np.int32) + LOWEST - 1
# Column of the plan, its largest number, width of the vector that stands for it.
FORM = {
    "bar": (BAR, LONGEST_BAR, 4),
    "place_in_bar": (PLACE, LONGEST_BAR, 12),
    "phrase": (PHRASE, FARTHEST, 12),
    "left": (LEFT, FARTHEST, 12),
}
MODE_WIDTH = 4
DEGREE_WIDTH, DEGREE_HEAD = 12, 64
NEAR = 16  # rows from which on an end counts
# The end that is near: of the phrase or of the piece, in 1 to NEAR rows; none; or who knows.
ENDS = 2 * NEAR + 2
FAR = ENDS - 1
CLOSING = (4, 8)  # rows from the end in which the last chord of a phrase most often begins


class Features(NamedTuple):
    """`form`: vectors (batch, rows, n) for bars, phrases and the end; `closing`, int (batch, rows):
    how near the end of the phrase is, 0 to 2; `logits(voice)`: what is added to the logits of a
    voice in each key, (batch, rows, keys, 47) each.
    """

    form: "list[keras.KerasTensor]"
    closing: "keras.KerasTensor"
    logits: "Callable[[int], list[keras.KerasTensor]]"


def read(
    plan: "keras.KerasTensor",
    keys: "keras.KerasTensor",
    rows: "keras.KerasTensor",
    before: "keras.KerasTensor",
    dropout: float,
) -> Features:
    """The features of a plan, int (batch, rows, 6), in each of some keys, int (batch, rows, keys,
    2), for tokens (batch, rows, 4) of the rows and of those before them.
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops

    def embedded(name: str) -> "keras.KerasTensor":
        column, largest, width = FORM[name]
        numbers = ops.clip(plan[:, :, column], UNKNOWN, largest) - UNKNOWN
        return layers.Embedding(largest + 2, width, name=name)(numbers)

    form = [embedded(name) for name in FORM]
    tonic, mode = keys[:, :, :, :1], keys[:, :, :, MODE]
    of_mode = layers.Embedding(len(MODES) + 1, MODE_WIDTH, name="mode")(mode - UNKNOWN)
    no_key = ops.zeros_like(of_mode)[:, :, :, :1]
    form_in_keys = ops.expand_dims(layers.Concatenate(name="form")(form), 2) + no_key
    in_key = ops.cast(tonic > UNKNOWN, "float32")
    own = ops.subtract(PITCHES + OCTAVE, tonic) % OCTAVE
    table = layers.Embedding(len(VOICES) * DEGREES, DEGREE_WIDTH, name="degrees")
    tables = np.arange(len(VOICES), dtype=np.int32) * DEGREES
    near_before, near = (
        table(_degrees(ops.expand_dims(tokens, 2), tonic) + tables) for tokens in (before, rows)
    )

    phrase, left = plan[:, :, PHRASE], plan[:, :, LEFT]
    closing = sum(_within(phrase, rows_left) for rows_left in CLOSING)
    of_phrase, of_piece = _within(phrase, NEAR), _within(left, NEAR)
    end = ops.where(phrase > NEAR, FAR, of_phrase * phrase)
    end = ops.where(of_piece > 0, NEAR + left, end)
    at_end = ops.maximum(mode, 0) * ENDS + ops.expand_dims(end, 2)

    def logits(voice: int) -> "list[keras.KerasTensor]":
        name = VOICES[voice]
        inputs = [near_before[:, :, :, other] for other in range(len(VOICES))]
        inputs += [near[:, :, :, higher] for higher in range(voice)]
        x = layers.Concatenate(name=f"{name}_degree_inputs")([form_in_keys, of_mode, *inputs])
        x = layers.Dense(DEGREE_HEAD, activation="relu", name=f"{name}_degree_head")(x)
        x = layers.Dropout(dropout, name=f"{name}_degree_dropout")(x)
        scores = layers.Dense(OCTAVE, name=f"{name}_degree_scores")(x)
        table = layers.Embedding(
            2 * ENDS * OCTAVE, 1, embeddings_initializer="zeros", name=f"{name}_ends{RULE}"
        )
        at_ends = table(ops.expand_dims(at_end * OCTAVE, 3) + own)[:, :, :, :, 0]
        return [ops.take_along_axis(scores, own, axis=3) * in_key, at_ends * in_key]

    return Features(form, closing, logits)


def _within(ahead: "keras.KerasTensor", distance: int) -> "keras.KerasTensor":
    """Whether an end, rows ahead (batch, rows), is known to come within a distance: 1 or 0."""
    ops = runtime.keras.ops
    return ops.cast(ops.logical_and(ahead > 0, ahead <= distance), "int32")


def _degrees(tokens: "keras.KerasTensor", tonic: "keras.KerasTensor") -> "keras.KerasTensor":
    """Degrees of tokens (batch, rows, 1, 4) above tonics (batch, rows, keys, 1), 0 to 11, or
    NO_PITCH or NO_KEY.
    """
    ops = runtime.keras.ops
    pitch = ops.logical_and(tokens > SILENCE, tokens < VOCABULARY_SIZE)
    degrees = ops.where(pitch, (tokens + (LOWEST - 1 + OCTAVE) - tonic) % OCTAVE, NO_PITCH)
    return ops.where(tonic > UNKNOWN, degrees, NO_KEY)
