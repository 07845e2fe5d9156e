"""Which chorales nearly are among others already, perhaps in another key.

Bach used some settings twice, and collections of his chorales hold both, on either side of a
split. What such a piece adds to a score says little about pieces that are new.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from kantor.chorale import SILENCE, VOICES
from kantor.records import Record


def among(
    pieces: Sequence[Record], others: Sequence[Record], *, rows: int, share: float
) -> list[int]:
    """Numbers of the `pieces` of whose stretches of so many rows at least `share` occur in
    one of the `others`, note for note, whatever the key.
    """
    known = [set(stretches(other.tokens, rows)) for other in others]
    found = []
    for piece in pieces:
        own = list(stretches(piece.tokens, rows))
        most = max((sum(stretch in of for stretch in own) for of in known), default=0)
        if own and most >= share * len(own):
            found.append(piece.chorale)
    return found


def stretches(tokens: np.ndarray, rows: int) -> Iterable[bytes]:
    """Every stretch of so many rows, in semitones from its first sounding note."""
    grid = np.asarray(tokens, np.int64).reshape(-1, len(VOICES))
    for start in range(len(grid) - rows + 1):
        stretch = grid[start : start + rows]
        sounding = stretch != SILENCE
        first = stretch[sounding][0] if sounding.any() else 0
        # Farther from any pitch than pitches are from each other: silence stays apart.
        yield np.where(sounding, stretch - first, 1000).astype(np.int16).tobytes()
