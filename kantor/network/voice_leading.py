"""How voices lead each other: what the higher voices, decided already, say of a lower one's note.

Notes are compared by intervals and motions alone, so that what is learnt holds in every key. What
comes of it is added to the logits of the lower voice; it is nothing at first. That is

- a number for each interval that would follow, learnt for every interval before and every motion of
  a higher voice;
- one for what is nearly forbidden: the same perfect interval again, in the same direction or not,
  as kantor.judging counts it;
- for the bass, one for the kind and the inversion of the chord that would sound, on a beat and
  between beats, at the end of a phrase or elsewhere, whether the bass moves or stays.

The last two are a RULE each: weight decay would not let them grow as large as they have to be. The
first are too many for that: free to grow, they would learn the pieces by heart.

In training a network learns to expect as many parallels as there are. But it is less sure of new
pieces, and the less sure it is, the more probability goes to all other notes, parallels among them.
So `forbid` makes them less likely once the network is trained.
"""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOCABULARY_SIZE, VOICES
from kantor.judging import chords
from kantor.network.architecture import RULE
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras

# Semitones from a lower voice up to a higher one, and of a motion; what is larger is as these.
INTERVALS = (-5, 24)
LARGEST_MOVE = 13
INTERVAL_COUNT = INTERVALS[1] - INTERVALS[0] + 1
MOVE_COUNT = 2 * LARGEST_MOVE + 2  # one of them is that nothing is known
OCTAVE = 12
LOWEST_BASS = 48  # any
PERFECT = (0, 7)
BASS = len(VOICES) - 1
MOMENTS = 12  # closing, moving, on a beat or not
TOKENS = np.arange(VOCABULARY_SIZE, dtype=np.int32)
PARALLELS = f"_parallels{RULE}"
# Of the four numbers of a pair: fifths and octaves in the same direction, as in no other.
SAME_DIRECTION = np.array([[1], [0], [1], [0]], np.float32)


def _qualities() -> np.ndarray:
    """The number of the chord for each three intervals above the bass, 0 to 12, which is silence:
    int32 (2197,). Kind, inversion and completeness make its number.
    """
    intervals = np.array([*product(range(OCTAVE + 1), repeat=len(VOICES) - 1)])
    above = np.where(intervals == OCTAVE, SILENCE, LOWEST_BASS + intervals)
    named = chords.classify(np.insert(above, 0, LOWEST_BASS, axis=1))
    kinds = np.array([chords.KINDS.index(kind) for kind in named.kind])
    return ((kinds * 5 + named.inversion + 1) * 2 + named.complete).astype(np.int32)


QUALITIES = _qualities()
QUALITY_COUNT = int(QUALITIES.max()) + 1
# Of all voices: a table and four numbers for each pair of them, and a table of chords.
PAIRS = len(VOICES) * (len(VOICES) - 1) // 2
PARAMETERS = PAIRS * (INTERVAL_COUNT**2 * MOVE_COUNT + 4) + MOMENTS * QUALITY_COUNT


def leading(
    rows: "keras.KerasTensor",
    before: "keras.KerasTensor",
    position: "keras.KerasTensor",
    closing: "keras.KerasTensor",
) -> "Callable[[int], list[keras.KerasTensor]]":
    """For a voice, what the voices above it add to its logits, (batch, rows, 47) each, from tokens
    (batch, rows, 4) of the rows and of those before them, the rows' positions (batch, rows, 1), and
    how near the end of a phrase is, 0 to 2, (batch, rows).
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    sounded = ops.logical_and(before > SILENCE, before < VOCABULARY_SIZE)
    sounds = rows > SILENCE
    motions = rows - before
    on_beat = _equal(position % ROWS_PER_QUARTER, 0)

    def pair(voice: int, higher: int) -> "list[keras.KerasTensor]":
        name = f"{VOICES[voice]}_under_{VOICES[higher]}"
        both = ops.logical_and(sounded[:, :, voice], sounded[:, :, higher])
        both = ops.cast(ops.logical_and(both, sounds[:, :, higher]), "int32")
        interval = before[:, :, higher] - before[:, :, voice]
        following = ops.subtract(rows[:, :, higher : higher + 1], TOKENS)
        motion = motions[:, :, higher]

        move = ops.clip(motion, -LARGEST_MOVE, LARGEST_MOVE) + LARGEST_MOVE + 1
        context = (_number(interval) * MOVE_COUNT + move) * both
        size = INTERVAL_COUNT * MOVE_COUNT * INTERVAL_COUNT
        table = layers.Embedding(size, 1, embeddings_initializer="zeros", name=name)
        place = ops.expand_dims(context * INTERVAL_COUNT, 2) + _number(following)
        here = ops.cast(sounds[:, :, higher : higher + 1], "float32")
        prefer = table(place)[:, :, :, 0] * here

        own = ops.subtract(TOKENS, before[:, :, voice : voice + 1])
        moved = ops.cast(ops.not_equal(motion, 0), "int32") * both
        simple = ops.absolute(interval) % OCTAVE
        again = _equal(ops.absolute(following) % OCTAVE, _last(simple))
        wrong = again * ops.cast(ops.not_equal(own, 0), "int32") * (TOKENS > SILENCE)
        same = ops.cast(ops.greater(own * _last(motion), 0), "int32")
        kinds = []
        for perfect in PERFECT:
            twice = wrong * _last(moved * _equal(simple, perfect))
            kinds += [twice * same, twice * (1 - same)]
        rule = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name=name + PARALLELS)
        avoid = rule(ops.cast(ops.stack(kinds, axis=3), "float32"))[:, :, :, 0]
        return [prefer, avoid]

    def chord() -> "keras.KerasTensor":
        intervals = 0
        for higher in range(BASS):
            above = rows[:, :, higher : higher + 1]
            interval = ops.where(above > SILENCE, ops.subtract(above, TOKENS) % OCTAVE, OCTAVE)
            intervals = intervals * (OCTAVE + 1) + interval
        stays = _equal(before[:, :, BASS:], TOKENS)
        moment = (_last(closing) * 2 + stays) * 2 + on_beat
        size = MOMENTS * QUALITY_COUNT
        table = layers.Embedding(
            size, 1, embeddings_initializer="zeros", name=f"bass_qualities{RULE}"
        )
        case = moment * QUALITY_COUNT + ops.take(QUALITIES, intervals)
        return table(case)[:, :, :, 0] * (TOKENS > SILENCE).astype(np.float32)

    def led(voice: int) -> "list[keras.KerasTensor]":
        pairs = [part for higher in range(voice) for part in pair(voice, higher)]
        return [*pairs, chord()] if voice == BASS else pairs

    return led


def forbid(member: "keras.Model", strictness: float) -> None:
    """Take `strictness` from the logit of each note, for each higher voice with which it would be
    a parallel fifth or octave, in a trained member; a negative one gives it back.
    """
    for layer in member.layers:
        if layer.name.endswith(PARALLELS):
            (numbers,) = layer.get_weights()
            layer.set_weights([numbers - np.float32(strictness) * SAME_DIRECTION])


def _number(intervals: "keras.KerasTensor") -> "keras.KerasTensor":
    """Intervals counted from 0."""
    return runtime.keras.ops.clip(intervals, *INTERVALS) - INTERVALS[0]


def _equal(a: "keras.KerasTensor", b: "keras.KerasTensor | int") -> "keras.KerasTensor":
    ops = runtime.keras.ops
    return ops.cast(ops.equal(a, b), "int32")


def _last(values: "keras.KerasTensor") -> "keras.KerasTensor":
    """Values (batch, rows) for all tokens of a row alike, (batch, rows, 1)."""
    return runtime.keras.ops.expand_dims(values, 2)
