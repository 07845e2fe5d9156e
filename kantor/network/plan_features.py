"""What a network makes of the plan of a piece (kantor.plan).

Bars, phrases and rows left go into the network as they are. Where the key is known, notes also
have degrees, semitones above the tonic, so that what is learnt of one key holds in all: the degrees
of the row before go in, and which degree follows which, between voices and within one, at the end
of phrases and elsewhere, is added to the logits. It is nothing at first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kantor.chorale import LOWEST, SILENCE, VOCABULARY_SIZE, VOICES
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras

LONGEST_BAR = 32  # rows; longer ones, and later places, count as this
FARTHEST = 40  # rows; a farther end is as far as this
NEAR = 16  # and for degrees as this
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
    "mode": (MODE, 1, 4),
}


class Features(NamedTuple):
    """`form`: vectors (batch, rows, n) for bars, phrases and the end; `degrees`: such of the row
    before; `logits(voice)`: what is added to the logits of a voice, each (batch, rows, 47).
    """

    form: "list[keras.KerasTensor]"
    degrees: "list[keras.KerasTensor]"
    logits: "Callable[[int], list[keras.KerasTensor]]"


def read(
    plan: "keras.KerasTensor", rows: "keras.KerasTensor", before: "keras.KerasTensor"
) -> Features:
    """The features of a plan, int (batch, rows, 6), for tokens (batch, rows, 4) of the rows and of
    those before them.
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops

    def embedded(name: str) -> "keras.KerasTensor":
        column, largest, width = FORM[name]
        numbers = _up_to(plan[:, :, column], largest)
        return layers.Embedding(largest + 2, width, name=name)(numbers)

    tonic = plan[:, :, TONIC : TONIC + 1]
    in_key = ops.cast(tonic > UNKNOWN, "float32")
    minor = ops.maximum(plan[:, :, MODE], 0)
    own = ops.subtract(PITCHES + OCTAVE, tonic) % OCTAVE
    degrees_before, degrees = (_degrees(tokens, tonic) for tokens in (before, rows))
    table = layers.Embedding(len(VOICES) * DEGREES, 12, name="degrees")
    vectors = table(degrees_before + np.arange(len(VOICES), dtype=np.int32) * DEGREES)

    def logits(voice: int) -> "list[keras.KerasTensor]":
        name = VOICES[voice]
        near = {
            "phrase": _up_to(plan[:, :, PHRASE], NEAR),
            "left": _up_to(plan[:, :, LEFT], NEAR),
        }
        contexts = {"before": (degrees_before[:, :, voice], DEGREES)}
        contexts |= {VOICES[above]: (degrees[:, :, above], DEGREES) for above in range(voice)}
        contexts |= {what: (numbers, NEAR + 2) for what, numbers in near.items()}
        added = []
        for what, (numbers, count) in contexts.items():
            context = ops.expand_dims((minor * count + numbers) * OCTAVE, 2)
            layer = layers.Embedding(
                2 * count * OCTAVE, 1, embeddings_initializer="zeros", name=f"{name}_by_{what}"
            )
            added.append(layer(context + own)[:, :, :, 0] * in_key)
        return added

    voices = range(len(VOICES))
    form = [embedded(name) for name in FORM]
    return Features(form, [vectors[:, :, voice] for voice in voices], logits)


def _degrees(tokens: "keras.KerasTensor", tonic: "keras.KerasTensor") -> "keras.KerasTensor":
    """Degrees of tokens (batch, rows, 4), 0 to 11, or NO_PITCH or NO_KEY."""
    ops = runtime.keras.ops
    pitch = ops.logical_and(tokens > SILENCE, tokens < VOCABULARY_SIZE)
    degrees = ops.where(pitch, (tokens + (LOWEST - 1 + OCTAVE) - tonic) % OCTAVE, NO_PITCH)
    return ops.where(tonic > UNKNOWN, degrees, NO_KEY)


def _up_to(numbers: "keras.KerasTensor", largest: int) -> "keras.KerasTensor":
    """Numbers of a plan (batch, rows) from 0: unknown is 0, those above the largest are as it."""
    return runtime.keras.ops.clip(numbers, UNKNOWN, largest) - UNKNOWN
