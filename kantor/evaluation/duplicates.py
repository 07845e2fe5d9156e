"""Which chorales stand nearly the same among others, perhaps in another key.

Bach used some settings twice, and collections of his chorales hold both, on either side of a
split. What such a piece adds to a score says little about pieces that are new.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from kantor.chorale import SILENCE
from kantor.data.records import Record

# Farther from any pitch than pitches are from each other: silence stays apart.
FAR = 1000


def near_duplicates(
    pieces: Sequence[Record], others: Sequence[Record], *, rows: int, share: float
) -> list[int]:
    """The numbers of those `pieces` that nearly are one of the `others`: at least the share
    `share` of their segments of `rows` rows occur in it, note for note, in any one key.
    """
    segments_of_others = [set(segments(other.tokens, rows)) for other in others]
    numbers = []
    for piece in pieces:
        own = list(segments(piece.tokens, rows))
        most = max((sum(map(other.__contains__, own)) for other in segments_of_others), default=0)
        if own and most >= share * len(own):
            numbers.append(piece.chorale)
    return numbers


def segments(tokens: np.ndarray, rows: int) -> Iterable[bytes]:
    """Every segment of `rows` rows of tokens (rows, 4), in semitones from its first sounding
    note.
    """
    tokens = np.asarray(tokens, np.int64)
    for start in range(len(tokens) - rows + 1):
        segment = tokens[start : start + rows]
        sounding = segment != SILENCE
        first = segment[sounding][0] if sounding.any() else 0
        yield np.where(sounding, segment - first, FAR).astype(np.int16).tobytes()
