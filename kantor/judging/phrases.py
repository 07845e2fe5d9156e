"""Where phrases end. Grids have no fermatas, so the ends are told from six signs.

A stop is a chord of four voices that nothing moves in for a quarter at least. One longer than a
quarter ends a phrase. One of a quarter does if it has enough of the signs that Bach's fermatas of
a quarter have more often than his other chords. Of all stops of a quarter on a beat, in the
embedded scores of the training split, 16% are fermatas; of those that have a sign:

- the bass reached it by a fourth or a fifth: 43%;
- the soprano reached it by a step down, or a semitone up: 29%;
- something moved within the beat before: 29%;
- the soprano goes on with the same note, as a new phrase often does, or with a leap: 30%;
- the bass stays, or leaps by a third, a sixth or an octave: 40%;
- it comes at the place of the bar of four quarters where most of the longer stops come: 29%.

So 89% of the ends are fermatas of these scores, and 85% of the fermatas are ends.
"""

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, SILENCE

SIGNS_NEEDED = 4
LONGER_THAN_A_QUARTER = 6
BAR = 4 * ROWS_PER_QUARTER
# Bach's phrases have hardly ever less than a bar.
SHORTEST_PHRASE = BAR

FIFTHS = (5, 7)
STEPS_TO_AN_END = (-2, -1, 1)
SMALLEST_LEAP = 3
BASS_AFTER_AN_END = (0, 3, 4, 8, 12)


def holds(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a grid (rows, 4) stands still: first rows (n,) and lengths (n,) in rows of each run of
    equal rows, in order.
    """
    changes = (np.diff(grid, axis=0) != 0).any(1)
    starts = np.flatnonzero(np.concatenate([[True], changes]))
    return starts, np.diff(np.append(starts, len(grid)))


def ends(grid: np.ndarray, *, by_bar: bool = True) -> np.ndarray:
    """The rows (n,), in order, where the last chords of a grid's (rows, 4) phrases begin.

    With `by_bar=False` the last sign doesn't count: for who asks whether phrases keep to bars.
    Where two ends are nearer than a bar, the one with more signs stands; a longer stop before all.
    """
    starts, lengths = holds(grid)
    full = (grid[starts] != SILENCE).all(1)
    long = full & (lengths >= LONGER_THAN_A_QUARTER)
    short = full & ~long & (lengths >= ROWS_PER_QUARTER) & (starts % ROWS_PER_QUARTER == 0)
    scores = _signs(grid, starts, lengths).sum(0)
    if by_bar and long.any():
        scores = scores + (starts % BAR == np.bincount(starts[long] % BAR).argmax())
    candidates = np.flatnonzero(long | (short & (scores >= SIGNS_NEEDED)))
    ranks = np.where(long, len(grid) + lengths, scores)[candidates]
    rows: list[int] = []
    for row in starts[candidates[np.lexsort((candidates, -ranks))]].tolist():
        if all(abs(row - other) >= SHORTEST_PHRASE for other in rows):
            rows.append(row)
    return np.array(sorted(rows), np.int64)


def _signs(grid: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The first five signs (5, n) of stops."""
    here = grid[starts]
    arrival = here - grid[np.maximum(starts - 1, 0)]
    departure = np.abs(grid[np.minimum(starts + lengths, len(grid) - 1)] - here)
    moves = np.concatenate([[0, 0], (np.diff(grid, axis=0) != 0).any(1).cumsum()])
    before = moves[starts] - moves[np.maximum(starts - ROWS_PER_QUARTER + 1, 0)]
    return np.array(
        [
            np.isin(np.abs(arrival[:, 3]), FIFTHS),
            np.isin(arrival[:, 0], STEPS_TO_AN_END),
            before > 0,
            (departure[:, 0] == 0) | (departure[:, 0] >= SMALLEST_LEAP),
            np.isin(departure[:, 3], BASS_AFTER_AN_END),
        ]
    )
