"""The network that thinks in rows: one step of its GRUs is a row, not a note.

It has two parts. `recall` looks where the piece has been before: for every row, and for each
voice of it, the latest place whose past is most like the present one, and how the piece went
on there. It has no weights. `core` foretells: GRUs over the rows so far, then for each voice
in turn a dense head, which also sees the notes of the row that are chosen already.

Both are made of stock Keras layers and operations, so that the model file needs nothing else.
Rows are numbered from 0; there is one row more than whole rows in the arpeggio, the next one.
"""

from itertools import pairwise

import numpy as np

from kantor.chorale import VOCABULARY, VOICES
from kantor.params import RowGru
from kantor.runtime import keras

layers, ops = keras.layers, keras.ops

NOTHING = VOCABULARY  # stands where there is no note: before the first row, nothing recalled
LOOKS_BACK = (1, 2, 4, 8, 16)  # alike for 1 row, 2, 4, 8, 16, 32: levels 1 to 6
LEVELS = len(LOOKS_BACK) + 2
LONGEST_HOLD = 16
PERIOD = 16  # rows; four beats, whichever of them the bar begins with
HINTS = {
    "row": 4,  # the tokens that came after the place most like this one in all voices
    "voice": 4,  # the same with each voice looked at by itself
    "row_level": 1,  # how far back it is alike, 0 to 6
    "voice_level": 4,
    "held": 4,  # for how many rows each voice has held its note, 0 to 15
    "position": 1,  # of the row, modulo PERIOD
}
TOKEN_HINTS = HINTS["row"] + HINTS["voice"]


def build(settings: RowGru) -> keras.Model:
    """Arpeggio, int (batch, notes), to probabilities (batch, notes, 47)."""
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    probabilities = core(settings)([arpeggio, recall()(arpeggio)])
    return keras.Model(arpeggio, probabilities, name="row_gru")


def recall() -> keras.Model:
    """Arpeggio, int (batch, notes), to HINTS for each row, int32 (batch, notes // 4 + 1, 18)."""
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    rows = _rows(arpeggio)
    before, before_that = _delayed(rows, 1), _delayed(rows, 2)
    row = _numbers(rows[:, :, 0]) - 1
    now, then = ops.expand_dims(row, 2), ops.expand_dims(row, 1)

    lines = ops.transpose(before, (0, 2, 1))
    same = ops.equal(ops.expand_dims(lines, 3), ops.expand_dims(lines, 2))
    same = ops.concatenate([ops.all(same, axis=1, keepdims=True), same], axis=1)
    earlier = ops.expand_dims(ops.logical_and(then < now, then > 0), 1)
    alike = ops.cast(ops.logical_and(same, earlier), "int32")
    levels = alike
    for rows_back in LOOKS_BACK:
        alike = alike * _shifted(alike, rows_back, axes=(2, 3))
        levels = levels + alike
    level = ops.max(levels, axis=3)
    best = ops.equal(levels, ops.expand_dims(level, 3))
    latest = ops.max(ops.where(best, ops.expand_dims(then, 1), 0), axis=3)

    after_row = ops.take_along_axis(rows, ops.expand_dims(latest[:, 0], 2), axis=1)
    after_row = ops.where(ops.expand_dims(level[:, 0], 2) > 0, after_row, NOTHING)
    after_voice = ops.take_along_axis(ops.transpose(rows, (0, 2, 1)), latest[:, 1:], axis=2)
    after_voice = ops.where(level[:, 1:] > 0, after_voice, NOTHING)

    began = ops.where(ops.equal(before, before_that), 0, now)
    for rows_back in (1, 2, 4, 8):
        began = ops.maximum(began, _shifted(began, rows_back, axes=(1,)))
    held = ops.minimum(now - began, LONGEST_HOLD - 1)
    hints = [after_row, ops.transpose(after_voice, (0, 2, 1)), ops.transpose(level, (0, 2, 1))]
    hints = ops.concatenate([*hints, held, now % PERIOD], axis=2)
    return keras.Model(arpeggio, hints, name="recall")


def core(settings: RowGru) -> keras.Model:
    """Arpeggio, int (batch, notes), and hints for its rows, to probabilities."""
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    hints = layers.Input((None, sum(HINTS.values())), dtype="int32", name="hints")
    after_row, after_voice, row_level, voice_level, held, position = _split(hints)
    rows = _rows(arpeggio)
    before = _delayed(rows, 1)

    notes = layers.Embedding(len(VOICES) * (VOCABULARY + 1), settings.embedding, name="notes")
    spoken = notes(rows + _tables(VOCABULARY + 1))
    sung = notes(before + _tables(VOCABULARY + 1))
    recalled = {
        "row": notes(after_row + _tables(VOCABULARY + 1)),
        "voice": notes(after_voice + _tables(VOCABULARY + 1)),
    }
    length = layers.Embedding(len(VOICES) * LONGEST_HOLD, 8, name="length")
    lengths = length(held + _tables(LONGEST_HOLD))
    likeness = layers.Embedding(LEVELS, 8, name="row_likeness")(row_level[:, :, 0])
    likenesses = layers.Embedding(len(VOICES) * LEVELS, 8, name="voice_likeness")(
        voice_level + _tables(LEVELS)
    )
    place = layers.Embedding(PERIOD, 16, name="place")(position[:, :, 0])

    state = layers.Concatenate(name="row")([*_voices(sung), *_voices(lengths), place])
    for number, units in enumerate(settings.units, start=1):
        x = layers.GRU(units, return_sequences=True, name=f"gru_{number}")(state)
        x = layers.Dropout(settings.dropout, name=f"gru_dropout_{number}")(x)
        deep = number > 1 and state.shape[-1] == units
        state = layers.Add(name=f"residual_{number}")([state, x]) if deep else x

    guesses = (before, after_row, after_voice)
    right = [ops.cast(ops.equal(guess, rows), "float32") for guess in guesses]
    logits = []
    for voice, name in enumerate(VOICES):
        seen = [state, place, sung[:, :, voice], lengths[:, :, voice]]
        seen += [recalled["row"][:, :, voice], likeness]
        seen += [recalled["voice"][:, :, voice], likenesses[:, :, voice]]
        seen += [spoken[:, :, higher] for higher in range(voice)]
        seen += [guess[:, :, :voice] for guess in right if voice]
        x = layers.Concatenate(name=f"{name}_sees")(seen)
        x = layers.Dense(settings.head, activation="relu", name=f"{name}_head")(x)
        x = layers.Dropout(settings.dropout, name=f"{name}_dropout")(x)
        scores = layers.Dense(VOCABULARY, name=f"{name}_scores")(x)
        trust = layers.Dense(len(guesses), name=f"{name}_trust")(x)
        for number, guess in enumerate(guesses):
            # What is no token gets no score, and the rest of the network decides.
            guessed = ops.one_hot(guess[:, :, voice], VOCABULARY)
            scores = scores + guessed * trust[:, :, number : number + 1]
        logits.append(scores)
    logits = layers.Reshape((-1, VOCABULARY), name="notes_in_order")(ops.stack(logits, axis=2))
    # Place i foretells note i + 1.
    following = ops.expand_dims(_numbers(arpeggio), 2)
    logits = ops.take_along_axis(logits, following, axis=1)
    probabilities = layers.Activation("softmax", name="probabilities")(logits)
    return keras.Model([arpeggio, hints], probabilities, name="core")


def _rows(arpeggio: keras.KerasTensor) -> keras.KerasTensor:
    """The rows of an arpeggio, int32 (batch, notes // 4 + 1, 4); what is missing is 0."""
    filled = layers.ZeroPadding1D((0, 4))(ops.expand_dims(arpeggio, 2))[:, :, 0]
    voices = (filled[:, 0:-3:4], filled[:, 1:-2:4], filled[:, 2:-1:4], filled[:, 3::4])
    return ops.stack(voices, axis=2)


def _numbers(tokens: keras.KerasTensor) -> keras.KerasTensor:
    """1, 2, 3, ... along tokens (batch, places)."""
    # Sums of plain ones would be a constant, and XLA takes minutes to compute that one.
    return ops.cumsum(ops.cast(tokens >= 0, "int32"), axis=1)


def _delayed(rows: keras.KerasTensor, by: int) -> keras.KerasTensor:
    """For each row the one so many rows before."""
    return ops.pad(rows, ((0, 0), (by, 0), (0, 0)), constant_values=NOTHING)[:, :-by]


def _shifted(values: keras.KerasTensor, by: int, axes: tuple[int, ...]) -> keras.KerasTensor:
    """The values so many places further on along the axes, zeros before them."""
    places = range(len(values.shape))
    padded = ops.pad(values, [(by, 0) if axis in axes else (0, 0) for axis in places])
    return padded[tuple(slice(None, -by) if axis in axes else slice(None) for axis in places)]


def _split(hints: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The hints one by one, in the order of HINTS."""
    ends = np.cumsum([0, *HINTS.values()]).tolist()
    return [hints[:, :, begin:end] for begin, end in pairwise(ends)]


def _tables(size: int) -> np.ndarray:
    """What to add to each voice's numbers so that it looks them up in a table of its own."""
    return np.arange(len(VOICES), dtype=np.int32) * size


def _voices(values: keras.KerasTensor) -> list[keras.KerasTensor]:
    return [values[:, :, voice] for voice in range(len(VOICES))]
