"""Errors of counterpoint in few words: counted in a sentence, and as marks in a score."""

from collections import Counter
from collections.abc import Sequence

from kantor.chorale import VOICES
from kantor.judging.counterpoint import KINDS
from kantor.judging.notes import Error
from kantor.notation.mark import Mark

# One error, several, and what stands in a score, where there is little room.
NAMES = {
    "parallel fifths": ("parallel fifths", "parallel fifths", "∥5"),
    "parallel octaves": ("parallel octaves", "parallel octaves", "∥8"),
    "fifths by contrary motion": (
        "fifths by contrary motion",
        "fifths by contrary motion",
        "contrary 5",
    ),
    "octaves by contrary motion": (
        "octaves by contrary motion",
        "octaves by contrary motion",
        "contrary 8",
    ),
    "direct fifths": ("direct fifths", "direct fifths", "direct 5"),
    "direct octaves": ("direct octaves", "direct octaves", "direct 8"),
    "crossing": ("crossing", "crossings", "crossing"),
    "overlap": ("overlap", "overlaps", "overlap"),
    "spacing": ("wide spacing", "wide spacings", "too wide"),
    "range": ("note out of range", "notes out of range", "out of range"),
    "leap": ("leap", "leaps", "leap"),
    "augmented second": ("augmented second", "augmented seconds", "augmented second"),
    "unresolved leading note": (
        "unresolved leading note",
        "unresolved leading notes",
        "leading note",
    ),
    "struck dissonance": ("struck dissonance", "struck dissonances", "dissonance"),
    "silence inside": ("rest inside a voice", "rests inside a voice", "rest"),
}


def counted(errors: Sequence[Error]) -> str:
    """How many errors of each kind, the commonest first: "2 errors: 2 leaps", or "no errors"."""
    if not errors:
        return "no errors"
    counts = Counter(error.kind for error in errors)
    kinds = sorted(counts, key=lambda kind: (-counts[kind], KINDS.index(kind)))
    listed = ", ".join(f"{counts[kind]} {NAMES[kind][counts[kind] > 1]}" for kind in kinds)
    return f"{len(errors)} error{'s' if len(errors) > 1 else ''}: {listed}"


def marks(errors: Sequence[Error]) -> list[Mark]:
    """Errors as marks in a score, one each."""
    return [mark(error) for error in errors]


def mark(error: Error) -> Mark:
    """An error as a mark in a score, such as "∥5 S-B" for parallel fifths of soprano and bass.

    What concerns one voice stands above that voice, so it needs no initial.
    """
    *_, label = NAMES[error.kind]
    initials = "-".join(VOICES[voice][0].upper() for voice in error.voices)
    return Mark(error.row, error.voices, f"{label} {initials}" if len(error.voices) > 1 else label)
