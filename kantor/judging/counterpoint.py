"""Errors of counterpoint in a grid, as a teacher would mark them, and how often they occur.

The rules are those that textbooks of four-part writing share (such as Aldwell and Schachter,
Harmony and Voice Leading), made exact for a grid. Bach breaks each of them now and then: it is
the rate that tells.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER
from kantor.judging import chords, motion, standing
from kantor.judging.notes import Error, Notes

__all__ = [
    "FIGURES",
    "KINDS",
    "RULES",
    "Error",
    "counts",
    "errors",
    "figures",
    "rates",
    "scale",
    "total",
]

# The kinds of errors, and the rule that each breaks.
RULES = {
    "parallel fifths": "two voices move in the same direction from fifth to fifth",
    "parallel octaves": "two voices move in the same direction from octave or unison to the same",
    "fifths by contrary motion": "two voices move in opposite directions from fifth to fifth",
    "octaves by contrary motion": "two voices move in opposite directions from octave to octave",
    "direct fifths": "the outer voices move in the same direction to a fifth, the soprano by leap",
    "direct octaves": "the outer voices move in the same direction to an octave, the soprano by "
    "leap",
    "crossing": "a voice is above the next higher one",
    "overlap": "a voice moves past where its neighbour has just been",
    "spacing": "soprano and alto, or alto and tenor, are more than an octave apart",
    "range": "a note is out of the range of its voice",
    "leap": "a voice leaps a tritone, a seventh, or more than an octave",
    "augmented second": "a voice moves between the sixth and the raised seventh degree of minor",
    "unresolved leading note": "the third of a dominant does not rise to the tonic as the bass "
    "goes there; inner voices may fall to the fifth",
    "struck dissonance": "two notes a semitone or a major seventh apart begin together on a beat",
    "silence inside": "a voice rests between its first and its last note",
}
KINDS = tuple(RULES)

DETECTORS = (
    motion.parallels,
    motion.direct,
    standing.crossings,
    motion.overlaps,
    standing.wide_spacings,
    standing.out_of_range,
    motion.leaps,
    motion.augmented_seconds,
    motion.leading_notes,
    standing.struck_dissonances,
    standing.silences,
)

# Figures that count errors of some kinds, per 100 onsets.
PER_ONSETS = {
    "parallels": ("parallel fifths", "parallel octaves"),
    "contrary": ("fifths by contrary motion", "octaves by contrary motion"),
    "direct": ("direct fifths", "direct octaves"),
    "crossing": ("crossing",),
    "overlap": ("overlap",),
    "spacing": ("spacing",),
    "range": ("range",),
    "leaps": ("leap",),
    "augmented_seconds": ("augmented second",),
    "leading_notes": ("unresolved leading note",),
}
# Figures that are shares, 0 to 1: of the beats in which a voice sounds; the last one, of the
# cells from the first to the last note of each voice.
SHARES = ("struck_semitones", "triads", "sevenths", "silence")
FIGURES = (*PER_ONSETS, *SHARES)


def errors(grid: np.ndarray) -> list[Error]:
    """All errors in a grid (rows, 4), by row, then in the order of KINDS, then by voices."""
    return _errors(Notes(grid))


def figures(grid: np.ndarray) -> dict[str, float]:
    """How often a piece, a grid (rows, 4), breaks the rules; see `rates`."""
    return rates(counts(grid))


def counts(grid: np.ndarray) -> dict[str, tuple[int, int]]:
    """What the figures of a grid (rows, 4) are made of: for each of FIGURES, how many, of how
    many.

    An onset is a row, after the first, in which at least one voice changes to another pitch. A
    beat is its first row. Triads are major and minor ones with all their notes; seventh chords
    may lack their fifth.
    """
    notes = Notes(grid)
    all_errors = _errors(notes)
    by_kind = Counter(error.kind for error in all_errors)
    onsets = int(notes.struck[1:].any(1).sum())
    numbers = {
        name: (sum(by_kind[kind] for kind in kinds), onsets) for name, kinds in PER_ONSETS.items()
    }
    clashes = len({error.row for error in all_errors if error.kind == "struck dissonance"})
    beats = notes.sounds[::ROWS_PER_QUARTER].any(1)
    kind = notes.chords.kind[::ROWS_PER_QUARTER]
    triads = np.isin(kind, ("major", "minor")) & notes.chords.complete[::ROWS_PER_QUARTER]
    numerators = clashes, triads.sum(), np.isin(kind, chords.SEVENTHS).sum()
    shares = [(int(number), int(beats.sum())) for number in numerators]
    cells = int(standing.silent_inside(notes).sum()), int(standing.inside(notes).sum())
    return numbers | dict(zip(SHARES, [*shares, cells], strict=True))


def scale(name: str) -> int:
    """What the ratio of a figure's counts is multiplied by: errors are per 100 onsets."""
    return 100 if name in PER_ONSETS else 1


def total(pieces: Iterable[Mapping[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    """The counts of a set of pieces: the sums of theirs, so that long pieces weigh more."""
    sums = dict.fromkeys(FIGURES, (0, 0))
    for piece in pieces:
        sums = {
            name: (number + piece[name][0], base + piece[name][1])
            for name, (number, base) in sums.items()
        }
    return sums


def rates(numbers: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """The figures that follow from counts: errors per 100 onsets, the rest as shares of 1 (see
    SHARES). NaN where there is nothing to count among.
    """
    return {
        name: scale(name) * number / base if base else float("nan")
        for name, (number, base) in numbers.items()
    }


def _errors(notes: Notes) -> list[Error]:
    listed = [error for detector in DETECTORS for error in detector(notes)]
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(listed, key=lambda error: (error.row, order[error.kind], error.voices))
