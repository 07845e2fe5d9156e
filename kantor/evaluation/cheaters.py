"""Trivial ways to come by chorales, to see which figures of the judge they fool."""

from collections.abc import Sequence

import numpy as np

from kantor import chorale
from kantor.chorale import HIGHEST, SILENCE
from kantor.evaluation.likelihood import Predictor


def shuffled(grid: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A grid (rows, 4) in which this share of each voice's notes have changed places by lot, each
    with its pitch alone; they keep their rhythm.
    """
    draw, result = _draw(seed), grid.copy()
    for voice in range(grid.shape[1]):
        notes = [run for run in chorale.runs(grid[:, voice]) if grid[run[0], voice] != SILENCE]
        moved = np.flatnonzero(draw.random(len(notes)) < share)
        for old, new in zip(moved, draw.permutation(moved), strict=True):
            begin, end = notes[old]
            result[begin:end, voice] = grid[notes[new][0], voice]
    return result


def copied(grid: np.ndarray) -> np.ndarray:
    """A grid a semitone higher, or lower where there is no room."""
    step = 1 if grid.max() < HIGHEST else -1
    return np.where(grid == SILENCE, SILENCE, grid + step)


def drawn(predict: Predictor, rows: Sequence[int], seed: int) -> list[np.ndarray]:
    """Pieces of so many rows each, whose notes are drawn from what a bigram predicts."""
    draw = _draw(seed)
    last: list[np.ndarray] = [np.empty((0, 4), np.int64) for _ in rows]
    lines: list[list[np.ndarray]] = [[] for _ in rows]
    for _ in range(max(rows)):
        # It looks at one row only: the last one, behind which stands the row to be predicted.
        probabilities = predict([np.vstack([row, np.zeros((1, 4), np.int64)]) for row in last])
        draws = draw.random((len(rows), 4))
        for number, (table, chance) in enumerate(zip(probabilities, draws, strict=True)):
            tokens = (np.cumsum(table[-1], axis=1) <= chance[:, None]).sum(1)
            last[number] = np.minimum(tokens, table.shape[-1] - 1)[None]
            lines[number].append(last[number][0])
    return [chorale.decode(np.array(line)[:count]) for line, count in zip(lines, rows, strict=True)]


def _draw(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))
