"""How much of a piece is copied from the training split, in whatever key.

A passage is copied if it stands somewhere in training with the same chords, rhythm and steps,
perhaps transposed as a whole. All passages of all lengths are compared at once: what follows each
row is ranked among all that follows rows of training (a suffix array by prefix doubling: Manber and
Myers, "Suffix Arrays", 1993), and shares its longest beginning with one of its two neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kantor.chorale import SILENCE

# Out of the reach of any step between pitches.
SILENT = 1000
PASSAGE_ROWS = 16


@dataclass(frozen=True)
class Originality:
    """What of one piece occurs in training.

    `longest` and `longest_soprano`: rows of the longest copied passage of all four voices, and of
    the soprano by itself. `copied` of the `passages` of 16 rows occur in training. `copied_moving`
    and `moving` leave out those in which no voice moves, as these belong to everybody.
    """

    longest: int
    longest_soprano: int
    copied: int
    passages: int
    copied_moving: int
    moving: int

    @property
    def share(self) -> float:
        """The share of its passages of 16 rows that occur in training; nan if it has none."""
        return self.copied / self.passages if self.passages else float("nan")


def compare(pieces: Sequence[np.ndarray], training: Sequence[np.ndarray]) -> list[Originality]:
    """How original each of the `pieces` is beside the `training` pieces, all grids (rows, 4)."""
    if not pieces:
        return []
    chords = matches(pieces, training)
    sopranos = matches([piece[:, :1] for piece in pieces], [piece[:, :1] for piece in training])
    return [
        _summary(piece, lengths, alone)
        for piece, lengths, alone in zip(pieces, chords, sopranos, strict=True)
    ]


def matches(pieces: Sequence[np.ndarray], training: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each row of each piece (rows, voices), how many rows from there on occur in training:
    an array (rows,) for each piece.

    A single chord counts as copied (1) wherever it is.
    """
    grids = [*training, *pieces]
    rows = np.array([len(grid) for grid in grids])
    symbols = np.concatenate([_steps(grid) for grid in grids])
    _, ids = np.unique(symbols, axis=0, return_inverse=True)
    # The first row of a piece has no step to it, so its place can hold what keeps pieces apart.
    borders = np.cumsum(rows) - rows
    ids = ids.reshape(-1) + len(grids)
    ids[borders] = np.arange(len(grids))
    levels = _doubled(ids, int(rows.max()))

    order = np.argsort(levels[-1], kind="stable")
    own = order >= rows[: len(training)].sum()
    lengths = np.zeros(len(ids), np.int64)
    for neighbours in (_previous(order, own), _previous(order[::-1], own[::-1])[::-1]):
        beside = np.flatnonzero(own & (neighbours >= 0))
        places = order[beside]
        shared = _shared(levels, places, neighbours[beside])
        lengths[places] = np.maximum(lengths[places], shared)
    # From a row on: the steps to the rows after it, and itself. To a border there is none.
    following = np.append(lengths[1:], 0)
    return [
        following[start : start + count] + 1
        for start, count in zip(borders[len(training) :], rows[len(training) :], strict=True)
    ]


def _summary(piece: np.ndarray, lengths: np.ndarray, alone: np.ndarray) -> Originality:
    moves = np.concatenate([[0, 0], (np.diff(piece, axis=0) != 0).any(1).cumsum()])[1:]
    starts = np.arange(max(len(piece) - PASSAGE_ROWS + 1, 0))
    moving = moves[starts + PASSAGE_ROWS - 1] > moves[starts]
    copied = lengths[starts] >= PASSAGE_ROWS
    return Originality(
        longest=int(lengths.max()),
        longest_soprano=int(alone.max()),
        copied=int(copied.sum()),
        passages=len(starts),
        copied_moving=int((copied & moving).sum()),
        moving=int(moving.sum()),
    )


def _steps(grid: np.ndarray) -> np.ndarray:
    """What stays of each row and the row before it in any key (rows, 2 * voices + 1): both chords
    above their first sounding voices, and the step between these.
    """
    sounding = grid != SILENCE
    firsts = np.take_along_axis(grid, sounding.argmax(1)[:, None], 1)
    chords = np.where(sounding, grid - firsts, SILENT)
    # A general pause is no step, and the next chord's step is from the chord before the pause.
    latest = np.maximum.accumulate(np.where(sounding.any(1), np.arange(len(grid)), 0))
    firsts = firsts[latest]
    steps = np.diff(firsts, axis=0, prepend=firsts[:1])
    return np.concatenate([chords, np.roll(chords, 1, axis=0), steps], axis=1)


def _doubled(ids: np.ndarray, longest: int) -> list[np.ndarray]:
    """Ranks of what begins at each place, 1, 2, 4, ... symbols of it, until `longest` is reached.

    Behind the end there is a symbol of its own, before all.
    """
    levels = [ids + 1]
    reach = 1
    while reach < longest:
        ranks = levels[-1]
        behind = np.concatenate([ranks[reach:], np.zeros(min(reach, len(ranks)), ranks.dtype)])
        _, ranks = np.unique(ranks * (ranks.max() + 1) + behind, return_inverse=True)
        levels.append(ranks.reshape(-1) + 1)
        reach *= 2
    return levels


def _previous(order: np.ndarray, own: np.ndarray) -> np.ndarray:
    """For each of the places in `order`, the nearest one before it that isn't `own`; or -1."""
    latest = np.maximum.accumulate(np.where(own, -1, np.arange(len(order))))
    return np.where(latest >= 0, order[latest], -1)


def _shared(levels: list[np.ndarray], places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How many symbols from each of the places on are the same as from the other one on."""
    count = np.zeros(len(places), np.int64)
    size = len(levels[0])
    for power in range(len(levels) - 1, -1, -1):
        ranks = np.append(levels[power], [-1, -2])
        here = ranks[np.minimum(places + count, size)]
        there = ranks[np.where(others + count < size, others + count, size + 1)]
        count += np.where(here == there, 1 << power, 0)
    return count
