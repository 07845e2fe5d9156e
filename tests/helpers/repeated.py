"""Pieces with notes that are struck again."""

import numpy as np

from kantor import details, plan
from kantor.data.records import Record


def grid(rows: int, seed: int = 0) -> np.ndarray:
    """A grid whose notes last some rows, with some silence."""
    draw = np.random.default_rng(seed)
    notes = draw.choice([0, 60, 62, 64, 65], size=(rows, 4))
    first = np.maximum.accumulate(
        np.where(draw.random((rows, 4)) < 0.2, np.arange(rows)[:, None], 0), axis=0
    )
    return np.take_along_axis(notes, first, axis=0)


def struck(notes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Struck cells of a grid (rows, 4), by chance where a note stays."""
    drawn = np.random.default_rng(seed).integers(0, 2, notes.shape)
    return details.settled(drawn, notes)


def on_beats(count: int, rows: int = 64) -> list[Record]:
    """Pieces in which every note that stays is struck again on every beat, and nowhere else."""
    asked = plan.regular(0, 0, 16, 0, [rows // 2, rows])
    beat = (asked[:, plan.PLACE] % 4 == 0)[:, None].astype(int)
    pieces = []
    for number in range(count):
        notes = grid(rows, number)
        struck = details.settled(np.broadcast_to(beat, notes.shape), notes).astype(np.int32)
        pieces.append(Record(notes, number, 0, asked.copy(), struck))
    return pieces
