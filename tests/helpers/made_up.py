"""Chorales made up by chance, without an error of counterpoint."""

import numpy as np

from helpers.counterpoint import RANGES, by_hand

# Triads of a key: the semitones from its tonic to the root, and from the root to the third.
TRIADS = {
    "major": [(0, 4), (2, 3), (4, 3), (5, 4), (7, 4), (9, 3)],
    "minor": [(0, 3), (5, 3), (7, 4), (8, 4), (3, 4)],
}
BASS = 3
TONIC = 0
DOMINANT = {"major": 4, "minor": 2}
# How often a dominant leads on to its tonic, and how often the bass has the root.
CADENCES, ROOTS = 0.7, 0.7
FIRST = (67, 64, 60, 48)
# How far each voice may move.
REACH = (4, 4, 4, 7)
CHORDS = 24


def made_up(draw: np.random.Generator) -> np.ndarray:
    """A grid of CHORDS triads of a major or minor key, two to eight rows each."""
    while True:
        rows = _try(draw)
        if not by_hand(rows):
            return rows


def _try(draw):
    tonic, mode = int(draw.integers(12)), ("major", "minor")[draw.integers(2)]
    rows, degrees = np.empty((0, 4), np.int64), []
    while len(degrees) < CHORDS:
        degree = int(draw.integers(len(TRIADS[mode])))
        if degrees[-1:] == [DOMINANT[mode]] and draw.random() < CADENCES:
            degree = TONIC
        root, third = TRIADS[mode][degree]
        members = (np.array([root, root + third, root + 7]) + tonic) % 12
        row = _voices(draw, rows[-1] if len(rows) else np.array(FIRST), members)
        longer = np.concatenate([rows, [row] * int(draw.choice([2, 4, 4, 4, 8]))])
        if len(set((row % 12).tolist())) == 3 and not by_hand(longer, [len(rows)]):
            rows = longer
            degrees.append(degree)
    return rows


def _voices(draw, last, members):
    """Any notes of a chord near the last ones, voice by voice."""
    row = []
    for voice, (low, high) in enumerate(RANGES):
        near = np.arange(
            max(last[voice] - REACH[voice], low), min(last[voice] + REACH[voice], high) + 1
        )
        choice = near[np.isin(near % 12, members)]
        roots = near[near % 12 == members[0]]
        if voice == BASS and len(roots) and draw.random() < ROOTS:
            choice = roots
        row.append(draw.choice(choice))
    return np.array(row)
