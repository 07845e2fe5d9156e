"""What a teacher writes into a score."""

from typing import NamedTuple


class Mark(NamedTuple):
    """A place in a piece, and what to write there."""

    row: int
    voices: tuple[int, ...]  # 0 = soprano ... 3 = bass
    words: str  # short; above the first of the voices
