"""What a network of rows can look up, without weights: where the piece has been before.

Chorales repeat their phrases. For each row, and for each voice of it, the lookback is the latest
earlier place whose past is most like the present one, and the note that came next there. Beside
it stand a few facts about the rows before that need no learning. All of these are the *hints* of
a row.

`model` gives the hints for whole sequences, as a Keras model of stock operations: to train with,
and to put into a model file. `empty`, `look_back` and `remember` give the same hints row by row.
Rows are numbered from 0. (Magenta's lookback RNN looks one and two bars back; here the distance
is free.)
"""

from typing import TYPE_CHECKING

from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras, tf

NOTHING = VOCABULARY_SIZE  # stands where there is no note: before the first row, no place alike
REACHES = (2, 4, 8, 16, 32)  # rows alike at levels 2 to 6; level 1 is a single row
LEVELS = len(REACHES) + 2
LONGEST_HOLD = 16
PERIOD = 16  # rows; four beats, whichever of them the bar begins with
HINTS = {
    "before": 4,  # the tokens of the row before
    "row": 4,  # those that came after the place most like this one in all voices
    "voice": 4,  # the same with each voice looked at by itself
    "row_level": 1,  # for how many rows it is alike, as a level from 0 to 6
    "voice_level": 4,
    "held": 4,  # for how many rows each voice has held its note, 0 to 15
    "position": 1,  # of the row, modulo PERIOD
}
TOKEN_HINTS = HINTS["before"] + HINTS["row"] + HINTS["voice"]


def model(name: str) -> "keras.Model":
    """Tokens, int (batch, rows, 4), to HINTS for each row from the rows before it, int32 (batch,
    rows, 22).
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    rows = layers.Input((None, len(VOICES)), dtype="int32", name="rows")
    before, before_that = _delayed(rows, 1), _delayed(rows, 2)
    row = numbers(rows[:, :, 0]) - 1
    now, then = ops.expand_dims(row, 2), ops.expand_dims(row, 1)

    lines = ops.transpose(before, (0, 2, 1))
    same = ops.equal(ops.expand_dims(lines, 3), ops.expand_dims(lines, 2))
    same = ops.concatenate([ops.all(same, axis=1, keepdims=True), same], axis=1)
    earlier = ops.expand_dims(ops.logical_and(then < now, then > 0), 1)
    alike = ops.cast(ops.logical_and(same, earlier), "int32")
    levels = alike
    for reach in REACHES:
        alike = alike * _shifted(alike, reach // 2, axes=(2, 3))
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
    hints = [before, after_row, ops.transpose(after_voice, (0, 2, 1))]
    hints += [ops.transpose(level, (0, 2, 1)), held, now % PERIOD]
    return runtime.keras.Model(rows, ops.concatenate(hints, axis=2), name=name)


Memory = "dict[str, tf.Tensor]"


def empty(pieces: int, rows: int) -> Memory:
    """The memory of pieces before their first row, to carry from row to row, with room for
    `rows` rows.

    `lines`: the voices so far, int32 (pieces, 4, rows); `before`: the row before; `held`: as in
    HINTS; `alike`, int32 (pieces, 5, rows): how many rows that end before each place are like
    the last ones, in all voices together and in each.
    """
    tf, voices = runtime.tf, len(VOICES)
    return {
        "lines": tf.zeros((pieces, voices, rows), tf.int32),
        "before": tf.fill((pieces, voices), NOTHING),
        "held": tf.zeros((pieces, voices), tf.int32),
        "alike": tf.zeros((pieces, 1 + voices, rows), tf.int32),
    }


def look_back(memory: Memory, row: "tf.Tensor") -> "tuple[tf.Tensor, Memory]":
    """The hints for a row, int32 (pieces, 1, 22), and the memory with what was compared."""
    tf = runtime.tf
    lines, before = memory["lines"], memory["before"]
    then = tf.range(lines.shape[2])
    same = _shifted(lines, 1, axes=(2,)) == before[:, :, None]
    same = tf.concat([tf.reduce_all(same, axis=1, keepdims=True), same], axis=1)
    same = same & (then > 0) & (then < row)
    alike = tf.where(same, _shifted(memory["alike"], 1, axes=(2,)) + 1, 0)

    levels = tf.add_n([tf.cast(alike >= rows, tf.int32) for rows in (1, *REACHES)])
    level = tf.reduce_max(levels, axis=2)
    latest = tf.reduce_max(tf.where(levels == level[:, :, None], then, 0), axis=2)
    in_all = tf.broadcast_to(latest[:, :1], before.shape)
    after = tf.gather(lines, tf.stack([in_all, latest[:, 1:]], axis=2), axis=2, batch_dims=2)
    after_row = tf.where(level[:, :1] > 0, after[:, :, 0], NOTHING)
    after_voice = tf.where(level[:, 1:] > 0, after[:, :, 1], NOTHING)

    position = tf.fill((lines.shape[0], 1), row % PERIOD)
    hints = [before, after_row, after_voice, level, memory["held"], position]
    return tf.concat(hints, axis=1)[:, None], memory | {"alike": alike}


def remember(memory: Memory, row: "tf.Tensor", notes: "tf.Tensor") -> Memory:
    """The memory after the notes of a row, int32 (pieces, 4), are decided."""
    tf = runtime.tf
    here = tf.range(memory["lines"].shape[2]) == row
    held = tf.minimum(memory["held"] + 1, LONGEST_HOLD - 1)
    return memory | {
        "lines": tf.where(here, notes[:, :, None], memory["lines"]),
        "before": notes,
        "held": tf.where(notes == memory["before"], held, 0),
    }


def numbers(tokens: "keras.KerasTensor") -> "keras.KerasTensor":
    """1, 2, 3, ... along tokens (batch, places)."""
    ops = runtime.keras.ops
    # Sums of plain ones would be a constant, and XLA takes minutes to compute that one.
    return ops.cumsum(ops.cast(tokens >= 0, "int32"), axis=1)


def _delayed(rows: "keras.KerasTensor", by: int) -> "keras.KerasTensor":
    """For each row the one that is `by` rows before it."""
    padded = runtime.keras.ops.pad(rows, ((0, 0), (by, 0), (0, 0)), constant_values=NOTHING)
    return padded[:, :-by]


def _shifted(values: "keras.KerasTensor", by: int, axes: tuple[int, ...]) -> "keras.KerasTensor":
    """The values `by` places further on along the axes, zeros before them."""
    places = range(len(values.shape))
    padded = runtime.keras.ops.pad(values, [(by, 0) if axis in axes else (0, 0) for axis in places])
    return padded[tuple(slice(None, -by) if axis in axes else slice(None) for axis in places)]
