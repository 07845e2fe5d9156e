"""Rules of counterpoint for what sounds together, or alone, in a row.

A stretch of rows that breaks a rule is one error, at its first row.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, VOICES
from kantor.judging.notes import Error, Notes, begins

# Where each voice of the training split is, but for 0.1% of its time at either end.
RANGES = ((60, 79), (55, 73), (50, 69), (36, 62))
OCTAVE = 12
# A semitone, a major seventh, and either with octaves added.
CLASHES = (1, 11)


def crossings(notes: Notes) -> Iterator[Error]:
    """Neighbouring voices of which the upper is below the lower."""
    for upper, lower in pairwise(range(len(VOICES))):
        sound = notes.sounds[:, upper] & notes.sounds[:, lower]
        for row in begins(sound & (notes.grid[:, upper] < notes.grid[:, lower])).tolist():
            yield _pair("crossing", notes, row, upper, lower)


def wide_spacings(notes: Notes) -> Iterator[Error]:
    """More than an octave between soprano and alto, or alto and tenor."""
    for upper, lower in ((0, 1), (1, 2)):
        sound = notes.sounds[:, upper] & notes.sounds[:, lower]
        for row in begins(sound & (notes.grid[:, upper] - notes.grid[:, lower] > OCTAVE)).tolist():
            yield _pair("spacing", notes, row, upper, lower)


def out_of_range(notes: Notes) -> Iterator[Error]:
    """A note higher or lower than nearly all of its voice in Bach's chorales."""
    lowest, highest = np.array(RANGES).T
    wrong = notes.struck & ((notes.grid < lowest) | (notes.grid > highest))
    for row, voice in np.argwhere(wrong).tolist():
        side = "low" if notes.grid[row, voice] < lowest[voice] else "high"
        words = f"range, {VOICES[voice]}: {notes.name(row, voice)} is too {side}"
        yield Error("range", row, (voice,), words)


def struck_dissonances(notes: Notes) -> Iterator[Error]:
    """Two notes a semitone or major seventh apart (octaves added or not) that begin together on
    a beat.
    """
    beat = np.arange(len(notes.grid)) % ROWS_PER_QUARTER == 0
    for upper, lower in combinations(range(len(VOICES)), 2):
        both = notes.struck[:, upper] & notes.struck[:, lower]
        interval = np.abs(notes.grid[:, upper] - notes.grid[:, lower]) % OCTAVE
        for row in np.flatnonzero(beat & both & np.isin(interval, CLASHES)).tolist():
            yield _pair("struck dissonance", notes, row, upper, lower)


def silences(notes: Notes) -> Iterator[Error]:
    """A voice that rests between its first and its last note."""
    silent = silent_inside(notes)
    for voice, name in enumerate(VOICES):
        for row in begins(silent[:, voice]).tolist():
            words = f"silence inside, {name}: a rest after {notes.name(row - 1, voice)}"
            yield Error("silence inside", row, (voice,), words)


def inside(notes: Notes) -> np.ndarray:
    """Which cells (rows, 4) lie from the first to the last note of their voice."""
    begun = np.maximum.accumulate(notes.sounds, axis=0)
    goes_on = np.maximum.accumulate(notes.sounds[::-1], axis=0)[::-1]
    return begun & goes_on


def silent_inside(notes: Notes) -> np.ndarray:
    """Which cells (rows, 4) are rests between the first and the last note of their voice."""
    return inside(notes) & ~notes.sounds


def _pair(kind: str, notes: Notes, row: int, upper: int, lower: int) -> Error:
    words = f"{kind}, {VOICES[upper]} and {VOICES[lower]}: {notes.over(row, upper, lower)}"
    return Error(kind, row, (upper, lower), words)
