"""Whether a piece has the form of a chorale: a key it keeps and comes back to, phrases of whole
bars that end on chords, a beginning and an end.

Each figure is a ratio: of a piece, and of a set, whose figure is the ratio of the sums.
"""

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, SILENCE
from kantor.judging import key, phrases

BARS = (4 * ROWS_PER_QUARTER, 3 * ROWS_PER_QUARTER)
DOMINANT = 7
# Pitch classes above the bass, as bits: 0, 3 or 4, and 7. Bach now and then leaves out the fifth.
ROOT_TRIADS = tuple(sum(1 << step for step in chord) for chord in ((0, 4, 7), (0, 3, 7)))
ROOT_CHORDS = (*ROOT_TRIADS, 1 << 0 | 1 << 4, 1 << 0 | 1 << 3)
STANDSTILL_ROWS = 24


def counts(grid: np.ndarray, whole: bool) -> dict[str, tuple[int | float, int]]:
    """Numerator and denominator of each figure of a grid (rows, 4).

    - `key_kept`: windows of 64 rows in the scale of the first, of all others;
    - `key_returns`: the first and the last 32 rows have one tonic;
    - `bar_phase`: how likely two phrase ends of a piece are whole bars apart;
    - `phrase_ends`: ends of phrases in 100 rows;
    - `phrase_chords`: those on a major or minor triad in root position;
    - `proper_ends`: the last chord is such a triad, with its fifth, on the tonic, and is held for a
      quarter at least;
    - `proper_beginnings`: the first chord of four voices is a triad on the tonic or dominant;
    - `standstill`: nothing moves for 24 rows somewhere.

    `whole` says that the piece was not cut at its end; that of a cut one isn't judged, nor
    `key_returns`. Denominators may be 0.
    """
    last = phrases.ends(grid)
    chords = grid[last]
    tonic, _ = key.piece_key(grid)
    _, lengths = phrases.holds(grid)
    return {
        "key_kept": key.kept(grid),
        "key_returns": key.returns(grid) if whole else (0, 0),
        "bar_phase": _bar_phase(phrases.ends(grid, by_bar=False)),
        "phrase_ends": (100 * len(last), len(grid)),
        "phrase_chords": (int(np.isin(above_bass(chords), ROOT_CHORDS).sum()), len(last)),
        "proper_ends": (int(_ends_well(grid, tonic)), 1) if whole else (0, 0),
        "proper_beginnings": (int(_begins_well(grid, tonic)), 1),
        "standstill": (int((lengths >= STANDSTILL_ROWS).any()), 1),
    }


def figures(grid: np.ndarray, whole: bool = True) -> dict[str, float]:
    """The figures of one piece (rows, 4), as `counts` explains them; nan where there is nothing to
    count.
    """
    return {
        name: numerator / denominator if denominator else float("nan")
        for name, (numerator, denominator) in counts(grid, whole).items()
    }


def above_bass(chords: np.ndarray) -> np.ndarray:
    """Which intervals modulo the octave sound above the bass of chords (n, 4), as bits (n,): bit 7
    is a fifth. Chords with a silent voice have -1.
    """
    bits = np.bitwise_or.reduce(1 << (chords - chords[:, 3:]) % key.PITCH_CLASSES, axis=1)
    return np.where((chords == SILENCE).any(1), -1, bits)


def _bar_phase(rows: np.ndarray) -> tuple[float, int]:
    """How many phrase ends, of rows (n,), another one of them is whole bars from, on average over
    the others; in the metre that suits better.

    The share at the commonest place would be high for few ends, wherever they are.
    """
    if len(rows) < 2:
        return 0, 0
    places = [np.bincount(rows % bar) for bar in BARS]
    pairs = max(int((count * (count - 1)).sum()) for count in places)
    return pairs / (len(rows) - 1), len(rows)


def _ends_well(grid: np.ndarray, tonic: int) -> bool:
    _, lengths = phrases.holds(grid)
    return bool(
        above_bass(grid[-1:])[0] in ROOT_TRIADS
        and grid[-1, 3] % key.PITCH_CLASSES == tonic
        and lengths[-1] >= ROWS_PER_QUARTER
    )


def _begins_well(grid: np.ndarray, tonic: int) -> bool:
    full = grid[(grid != SILENCE).all(1)]
    if not len(full):
        return False
    for root in (tonic, tonic + DOMINANT):
        classes = (full[0] - root) % key.PITCH_CLASSES
        if np.bitwise_or.reduce(1 << classes) in ROOT_CHORDS:
            return True
    return False
