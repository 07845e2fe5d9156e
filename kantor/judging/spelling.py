"""Names of pitches, for people: which black key is a sharp and which a flat.

A grid has no spelling. The names come from twelve neighbours on the line of fifths
(... Bb F C G D A E B F# ...), around the scale that most of the piece belongs to: its seven
notes, one fifth more on the flat side, and four more on the sharp side, where Bach's leading
notes are.
"""

import numpy as np

from kantor.chorale import SILENCE

LETTERS = "FCGDAEB"
FIFTH = 7
SIGNATURES = sorted(range(-7, 8), key=abs)


def signature(grid: np.ndarray) -> int:
    """The sharps (flats are negative) of the major scale in which most of a grid (rows, 4)
    lies; the fewest at a tie.
    """
    grid = np.asarray(grid, np.int64)
    rows = np.bincount(grid[grid != SILENCE] % 12, minlength=12)
    inside = [sum(rows[_pitch_class(sharps + n)] for n in range(-1, 6)) for sharps in SIGNATURES]
    return SIGNATURES[int(np.argmax(inside))]


def names(sharps: int) -> list[str]:
    """The names of the pitch classes 0 to 11 in a piece with `sharps` sharps."""
    first = sharps - 2
    by_class = {_pitch_class(place): _name(place) for place in range(first, first + 12)}
    return [by_class[pitch_class] for pitch_class in range(12)]


def pitch_name(pitch: int, classes: list[str]) -> str:
    """A MIDI pitch as name and octave, C4 = 60, with the names of its pitch classes."""
    name = classes[pitch % 12]
    # A B# or Cb belongs to the octave of its letter, not to that of its key.
    turn = (name == "Cb") - (name == "B#")
    return f"{name}{pitch // 12 - 1 + turn}"


def _pitch_class(place: int) -> int:
    """The pitch class at a place on the line of fifths, where C is 0."""
    return place * FIFTH % 12


def _name(place: int) -> str:
    accidentals, letter = divmod(place + 1, 7)
    return LETTERS[letter] + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)
