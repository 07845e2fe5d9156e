"""Which notes that stay are struck again: what tells it, and a small network that says how likely
it is. It is the same whichever network composes.

A voice **stays** in a row if it sounds the pitch of the row before. What its cell looks like is
told by numbers from 0, of which 0 is unknown: see FEATURES.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kantor.chorale import SILENCE, VOICES
from kantor.details import changes
from kantor.plan import BAR, PHRASE, PLACE, UNKNOWN
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.data.records import Record
    from kantor.system.runtime import keras

LONGEST_BAR = 32  # rows; longer ones, and later places, count as this
FARTHEST = 40  # rows; a farther end of the phrase is as far as this
REACH = 16  # rows that a note is looked back at, and ahead
# What another voice does in the row. That a voice below is struck again is not decided yet.
SILENT, MOVES, STAYS, GOES_ON, AGAIN = range(1, 6)
# Each feature, and its largest number.
FEATURES = {
    "voice": len(VOICES),
    "bar": LONGEST_BAR + 1,
    "place": LONGEST_BAR + 1,
    "phrase": FARTHEST,  # rows to its end
    "begun": 2,  # whether the phrase begins with this row: 1 no, 2 yes
    **dict.fromkeys(VOICES, AGAIN),  # what each voice does
    "held": REACH,  # rows since the note was last struck
    "ahead": REACH,  # rows that its pitch goes on, this one included
}
NEVER = -100.0  # a logit
CELLS_AT_ONCE = 1024


def stays(grid: np.ndarray) -> np.ndarray:
    """Where a voice sounds the pitch of the row before: bool (rows, 4), of a grid or tokens."""
    return ~changes(grid) & (grid != SILENCE)


def features(grid: np.ndarray, plan: np.ndarray, struck: np.ndarray) -> np.ndarray:
    """The features of each cell, int32 (rows, 4, features), of a grid or tokens (rows, 4), its plan
    (rows, 6) and its struck cells (rows, 4), -1 for unknown.

    Of struck cells a cell sees those of the rows before, and of its row those of the voices above.
    """
    shape, voices = grid.shape, np.arange(len(VOICES))
    staying, sounds = stays(grid), grid != SILENCE
    columns = {
        "voice": np.broadcast_to(voices + 1, shape),
        "bar": _in_row(plan[:, BAR] + 1, shape),
        "place": _in_row(plan[:, PLACE] + 1, shape),
        "phrase": _in_row(np.maximum(plan[:, PHRASE], 0), shape),
        "begun": _in_row(_begun(plan[:, PHRASE]), shape),
    }
    seen = np.where(staying, STAYS, np.where(sounds, MOVES, SILENT))
    decided = np.where(staying & (struck != UNKNOWN), GOES_ON + struck, seen)
    for voice, name in enumerate(VOICES):
        columns[name] = np.where(voices > voice, decided[:, voice, None], seen[:, voice, None])
    begins = np.where(staying, struck == 1, sounds)
    columns["held"] = _since(begins)
    columns["ahead"] = _until(~staying)
    numbers = [np.minimum(columns[name], largest) for name, largest in FEATURES.items()]
    return np.stack(numbers, axis=2).astype(np.int32)


def cells(
    pieces: "Sequence[Record]", plans: Sequence[np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Features, int32 (cells, features), and whether it is struck, float32 (cells, 1), of each
    staying cell of which that is known; `plans` are other ones than the pieces' own.
    """
    numbers, struck = [np.zeros((0, len(FEATURES)), np.int32)], [np.zeros(0, np.int32)]
    for piece, plan in zip(pieces, plans or [piece.plan for piece in pieces], strict=True):
        told = stays(piece.tokens) & (piece.struck != UNKNOWN)
        numbers.append(features(piece.tokens, plan, piece.struck)[told])
        struck.append(piece.struck[told])
    return np.concatenate(numbers), np.concatenate(struck)[:, None].astype(np.float32)


def build(units: int) -> "keras.Model":
    """The untrained network: features, int (cells, features), to the probability that each cell is
    struck, (cells, 1).
    """
    layers = runtime.keras.layers
    sizes = np.array([*FEATURES.values()]) + 1
    numbers = layers.Input((len(FEATURES),), dtype="int32", name="features")
    # Vectors of its numbers, summed, are what a dense layer makes of them as one-hots.
    table = layers.Embedding(int(sizes.sum()), units, name="numbers")
    tables = np.cumsum(sizes, dtype=np.int32) - sizes.astype(np.int32)
    x = runtime.keras.ops.sum(table(numbers + tables), axis=1)
    x = layers.Activation("relu", name="first")(x)
    x = layers.Dense(units, activation="relu", name="second")(x)
    return runtime.keras.Model(
        numbers, layers.Dense(1, activation="sigmoid", name="struck")(x), name="strikes"
    )


def predictor(network: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Turns features, int32 (cells, features), into probabilities, float32 (cells,)."""
    # Compiled: operations by themselves follow the processor.
    compiled = runtime.tf.function(network, jit_compile=True, autograph=False)

    def predict(numbers: np.ndarray) -> np.ndarray:
        # Filled up, so that one shape is compiled.
        filled = np.pad(numbers, ((0, CELLS_AT_ONCE - len(numbers) % CELLS_AT_ONCE), (0, 0)))
        parts = np.split(filled, len(filled) // CELLS_AT_ONCE)
        return np.concatenate([compiled(part).numpy() for part in parts])[: len(numbers), 0]

    return predict


def _in_row(numbers: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Numbers (rows,) for each voice."""
    return np.broadcast_to(numbers[:, None], shape)


def _begun(phrase: np.ndarray) -> np.ndarray:
    """Whether a phrase begins with each row (rows,), 1 no, 2 yes, 0 unknown."""
    before = np.concatenate([[1], phrase[:-1]])
    return np.where(before == UNKNOWN, 0, np.where(before == 1, 2, 1))


def _since(begins: np.ndarray) -> np.ndarray:
    """Rows from the latest beginning before each row, int (rows, 4)."""
    row = np.arange(len(begins))[:, None]
    latest = np.maximum.accumulate(np.where(begins, row, -REACH), axis=0)
    return row - np.concatenate([np.full((1, len(VOICES)), -REACH), latest[:-1]])


def _until(ends: np.ndarray) -> np.ndarray:
    """Rows from each row, itself included, up to the next end behind it, int (rows, 4)."""
    row = np.arange(len(ends))[:, None]
    coming = np.where(ends, row, len(ends))[::-1]
    nearest = np.minimum.accumulate(coming, axis=0)[::-1]
    return np.concatenate([nearest[1:], np.full((1, len(VOICES)), len(ends))]) - row
