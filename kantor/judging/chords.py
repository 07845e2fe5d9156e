"""What chord each row of a grid is: kind, root and inversion, from its pitch classes.

The kind is looked up in a table over all 4096 sets of pitch classes. Doublings and octaves
don't matter, and a passing note makes another chord for as long as it sounds.

Chords with notes missing count as what they imply:

- two pitch classes a third apart: the triad on the lower one, major or minor as the third is;
- two a fifth apart: the major triad, for the third is the first that rings along (a convention);
- a seventh chord without its fifth: that seventh chord.

One pitch class alone, silence, and all else are "other". An augmented triad and a diminished
seventh divide the octave evenly, so that their pitch classes tell no root: the lowest note counts
as the root.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from kantor.chorale import SILENCE

# Each kind in semitones above its root: all its notes, then what stands for it.
SHAPES = {
    "major": [(0, 4, 7), (0, 4), (0, 7)],
    "minor": [(0, 3, 7), (0, 3)],
    "diminished": [(0, 3, 6)],
    "augmented": [(0, 4, 8)],
    "dominant seventh": [(0, 4, 7, 10), (0, 4, 10)],
    "minor seventh": [(0, 3, 7, 10), (0, 3, 10)],
    "major seventh": [(0, 4, 7, 11), (0, 4, 11)],
    "half-diminished": [(0, 3, 6, 10)],
    "diminished seventh": [(0, 3, 6, 9)],
}
KINDS = (*SHAPES, "other")
SEVENTHS = (
    "dominant seventh",
    "minor seventh",
    "major seventh",
    "half-diminished",
    "diminished seventh",
)
EVEN = ("augmented", "diminished seventh")
NO_ROOT = -1

# In semitones from the root to the lowest note: root position, or the inversion.
INVERSIONS = np.array([0, -1, -1, 1, 1, -1, 2, 2, 2, 3, 3, 3])


class Chords(NamedTuple):
    """Chords of n rows, an array (n,) each."""

    kind: np.ndarray  # names, of KINDS
    root: np.ndarray  # pitch class 0 (C) to 11, or -1 for "other"
    inversion: np.ndarray  # 0 in root position, 1 to 3; -1 for "other"
    complete: np.ndarray  # whether no note of the chord is missing


def classify(pitches: np.ndarray) -> Chords:
    """The chords of rows (n, voices) of MIDI pitches, 0 = silence; see the rules above."""
    pitches = np.asarray(pitches, np.int64)
    sounds = pitches != SILENCE
    members = np.bitwise_or.reduce(np.where(sounds, 1 << pitches % 12, 0), axis=1)
    lowest = np.where(sounds, pitches, np.iinfo(np.int64).max).min(axis=1, initial=10**6) % 12
    kind, root, complete = TABLE[members].T
    root = np.where(EVEN_KINDS[kind], lowest, root)
    inversion = np.where(root == NO_ROOT, -1, INVERSIONS[(lowest - root) % 12])
    return Chords(NAMES[kind], root, inversion, complete.astype(bool))


def _table() -> np.ndarray:
    """Kind, root and completeness of every set of pitch classes, (4096, 3); bit p of a set's
    number is pitch class p.
    """
    table = np.tile([KINDS.index("other"), NO_ROOT, False], (4096, 1))
    for (number, shapes), root in product(enumerate(SHAPES.values()), range(12)):
        for place, shape in enumerate(shapes):
            members = sum(1 << (root + step) % 12 for step in shape)
            table[members] = number, root, place == 0
    return table


TABLE = _table()
NAMES = np.array(KINDS)
EVEN_KINDS = np.isin(NAMES, EVEN)
