"""Chorales as people have them: CSV, or any score that music21 reads."""

from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor.chorale import HIGHEST, LOWEST, VOICES
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.notation.bars import Bars
from kantor.system.errors import KantorError


def read(path: Path) -> tuple[np.ndarray, Metadata, Details]:
    """Read a file of four voices: its grid (rows, 4), what is known of it, and its details.

    Raises KantorError if it can't be read, or a note is out of a grid's range.
    """
    if path.suffix.lower() == chorale.SUFFIX:
        grid = chorale.read(path)
        return grid, metadata.beside(path), details.beside(path, len(grid))
    # music21 is slow to load, and a CSV doesn't need it.
    from kantor.notation import reading

    grid, description, extras = reading.read(path)
    wrong = chorale.out_of_range(grid)
    if len(wrong):
        row, voice = wrong[0].tolist()
        bars = Bars.of(len(grid), description.metre, description.pickup, extras)
        raise KantorError(
            f"{path}, {bars.words(row)}, {VOICES[voice]}: MIDI pitch {grid[row, voice]}; "
            f"expected {LOWEST} to {HIGHEST}"
        )
    return grid, description, extras
