"""Rules of counterpoint for what moves from one row to the next.

The parallels are those of the baseline: two voices that both change in the same row. What stands
an interval apart on one beat and on the next, with other notes between, isn't counted.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, VOICES
from kantor.judging.notes import Error, Notes

SOPRANO, BASS = 0, len(VOICES) - 1
# Semitones, from which octaves are taken away, and what the interval is called.
PERFECT = {7: "fifths", 0: "octaves"}

TRITONE, SEVENTHS, OCTAVE = 6, (10, 11), 12
WHOLE_TONE = 2
# As an interval: a minor third sounds the same.
AUGMENTED_SECOND = 3
# A perfect fourth up or fifth down.
DOMINANT_TO_TONIC = (5, -7)
# Up to the tonic; and down to the fifth of its chord, which Bach allows inner voices.
RESOLUTION, INNER_RESOLUTION = 1, -4
KEY_WINDOW = 4 * ROWS_PER_QUARTER


def parallels(notes: Notes) -> Iterator[Error]:
    """Fifths and octaves in a row, by any pair of voices, in the same or in opposite directions.

    Octaves may be added to each interval: a fifth and a twelfth are the same, and so are unison
    and octave. An interval is counted from its lower note, whichever voice has that: crossed
    voices a fourth apart are no fifth.
    """
    for upper, lower in combinations(range(len(VOICES)), 2):
        both = notes.moves[:, upper] & notes.moves[:, lower]
        first = np.abs(notes.before[:, upper] - notes.before[:, lower])
        second = np.abs(notes.grid[:, upper] - notes.grid[:, lower])
        same = (notes.steps[:, upper] > 0) == (notes.steps[:, lower] > 0)
        for interval, name in PERFECT.items():
            twice = both & (first % OCTAVE == interval) & (second % OCTAVE == interval)
            for row in np.flatnonzero(twice).tolist():
                kind = f"parallel {name}" if same[row] else f"{name} by contrary motion"
                unisons = first[row] == second[row] == 0
                label = "parallel unisons" if unisons else kind
                yield Error(kind, row, (upper, lower), _pair(label, notes, row, upper, lower))


def direct(notes: Notes) -> Iterator[Error]:
    """Fifths and octaves of the outer voices, reached in the same direction from another
    interval while the soprano leaps (moves by more than a whole tone).
    """
    both = notes.moves[:, SOPRANO] & notes.moves[:, BASS]
    same = (notes.steps[:, SOPRANO] > 0) == (notes.steps[:, BASS] > 0)
    leaps = np.abs(notes.steps[:, SOPRANO]) > WHOLE_TONE
    first = np.abs(notes.before[:, SOPRANO] - notes.before[:, BASS]) % OCTAVE
    second = np.abs(notes.grid[:, SOPRANO] - notes.grid[:, BASS]) % OCTAVE
    for interval, name in PERFECT.items():
        wrong = both & same & leaps & (first != interval) & (second == interval)
        for row in np.flatnonzero(wrong).tolist():
            kind = f"direct {name}"
            yield Error(kind, row, (SOPRANO, BASS), _pair(kind, notes, row, SOPRANO, BASS))


def overlaps(notes: Notes) -> Iterator[Error]:
    """Neighbouring voices of which one moves past where the other has just been, uncrossed."""
    for upper, lower in pairwise(range(len(VOICES))):
        pair = [upper, lower]
        sound = notes.sounds[:, pair].all(1) & notes.sounded[:, pair].all(1)
        high, low = notes.grid[:, upper], notes.grid[:, lower]
        high_before, low_before = notes.before[:, upper], notes.before[:, lower]
        uncrossed = sound & (high >= low) & (high_before >= low_before)
        wrong = uncrossed & ((low > high_before) | (high < low_before))
        for row in np.flatnonzero(wrong).tolist():
            words = _pair("overlap", notes, row, upper, lower)
            yield Error("overlap", row, (upper, lower), words)


def leaps(notes: Notes) -> Iterator[Error]:
    """A voice that leaps a tritone, a seventh, or more than an octave."""
    sizes = np.abs(notes.steps)
    wrong = (sizes == TRITONE) | np.isin(sizes, SEVENTHS) | (sizes > OCTAVE)
    for row, voice in np.argwhere(wrong).tolist():
        size = int(sizes[row, voice])
        name = "a tritone" if size == TRITONE else "a seventh"
        if size > OCTAVE:
            name = "more than an octave"
        words = f"leap of {name}, {VOICES[voice]}: {notes.motion(row, voice)}"
        yield Error("leap", row, (voice,), words)


def augmented_seconds(notes: Notes) -> Iterator[Error]:
    """A voice that moves between the sixth and the raised seventh degree of minor.

    In a grid this looks like a minor third. It counts where the upper note, as it sounds, is a
    leading note: the third of a major triad or dominant seventh, or the root of a diminished
    triad. Where the lower note is one too, the third is a minor one between two dominants (G to
    E, from E flat major to C major).
    """
    kind, root, _, _ = notes.chords
    dominant = (kind == "major") | (kind == "dominant seventh")
    leading = np.where(dominant, (root + 4) % OCTAVE, np.where(kind == "diminished", root, -1))
    second = notes.grid % OCTAVE == leading[:, None]
    first = np.concatenate([np.zeros_like(second[:1]), second])[:-1]
    up = (notes.steps == AUGMENTED_SECOND) & second & ~first
    down = (notes.steps == -AUGMENTED_SECOND) & first & ~second
    for row, voice in np.argwhere(up | down).tolist():
        words = f"augmented second, {VOICES[voice]}: {notes.motion(row, voice)}"
        yield Error("augmented second", row, (voice,), words)


def leading_notes(notes: Notes) -> Iterator[Error]:
    """The third of a dominant that does not rise to the tonic when the bass goes there.

    A dominant here is a major triad or dominant seventh in root position; the bass then rises a
    fourth or falls a fifth, to a major or minor triad in root position. A major triad before a
    major one might as well be tonic and subdominant: it counts only if the arrival's fourth
    sounds longer than its raised fourth in the four quarters on either side. Inner voices may
    fall from the leading note to the fifth of the tonic, as Bach's do at cadences.
    """
    if not len(notes.grid):
        return
    kind, root, inversion, _ = notes.chords
    rows = np.arange(1, len(notes.grid))
    fall = np.isin(notes.steps[1:, BASS], DOMINANT_TO_TONIC)
    tonic = (root[:-1] + 5) % OCTAVE
    seventh = kind[:-1] == "dominant seventh"
    dominant = (seventh | (kind[:-1] == "major")) & (inversion[:-1] == 0)
    minor = kind[1:] == "minor"
    arrival = (minor | (kind[1:] == "major")) & (inversion[1:] == 0) & (root[1:] == tonic)
    fourth, raised = _heard(notes, rows, tonic + 5), _heard(notes, rows, tonic + 6)
    cadence = fall & dominant & arrival & (seventh | minor | (fourth > raised))
    for voice in range(BASS):
        leading = notes.before[1:, voice] % OCTAVE == (tonic - 1) % OCTAVE
        step = notes.steps[1:, voice]
        resolved = (step == RESOLUTION) | ((voice != SOPRANO) & (step == INNER_RESOLUTION))
        wrong = cadence & leading & notes.moves[1:, voice] & ~resolved
        for row in rows[wrong].tolist():
            words = f"unresolved leading note, {VOICES[voice]}: {notes.motion(row, voice)}"
            yield Error("unresolved leading note", row, (voice,), words)


def _heard(notes: Notes, rows: np.ndarray, pitch_classes: np.ndarray) -> np.ndarray:
    """For how many rows, summed over the voices, a pitch class sounds around each row."""
    classes = np.where(notes.sounds, notes.grid % OCTAVE, -1)
    sounding = (classes[:, :, None] == np.arange(OCTAVE)).sum(1)
    until = np.concatenate([np.zeros((1, OCTAVE), np.int64), sounding.cumsum(0)])
    first = (rows - KEY_WINDOW).clip(0)
    last = (rows + KEY_WINDOW).clip(max=len(notes.grid))
    return until[last, pitch_classes % OCTAVE] - until[first, pitch_classes % OCTAVE]


def _pair(label: str, notes: Notes, row: int, upper: int, lower: int) -> str:
    return (
        f"{label}, {VOICES[upper]} and {VOICES[lower]}: "
        f"{notes.over(row - 1, upper, lower)}, then {notes.over(row, upper, lower)}"
    )
