"""Chorales as people have them: CSV, or any score that music21 reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor.chorale import HIGHEST, LOWEST, VOICES
from kantor.details import NO_SIGNATURE, Details
from kantor.metadata import Metadata
from kantor.notation.bars import Bars
from kantor.system.errors import KantorError


def read(path: Path, exact: bool = False) -> tuple[np.ndarray, Metadata, Details]:
    """Read a file of four voices: its grid (rows, 4), what is known of it, and its details.

    Raises KantorError if it can't be read, or a note is out of a grid's range; and if it has to be
    `exact`, for notes of a score that a grid can't hold as they are written.
    """
    if path.suffix.lower() == chorale.SUFFIX:
        grid = chorale.read(path, "no such file; name a CSV or a score")
        extras = details.beside(path, len(grid))
        return grid, _filled(metadata.beside(path), extras), extras
    # music21 is slow to load, and a CSV doesn't need it.
    from kantor.notation import reading

    grid, description, extras = reading.read(path, exact)
    wrong = chorale.out_of_range(grid)
    if len(wrong):
        row, voice = wrong[0].tolist()
        bars = Bars.of(len(grid), description.metre, description.pickup, extras)
        raise KantorError(
            f"{path}, {bars.words(row)}, {VOICES[voice]}: MIDI pitch {grid[row, voice]}; "
            f"expected {LOWEST} to {HIGHEST}"
        )
    return grid, description, extras


def _filled(description: Metadata, extras: Details) -> Metadata:
    """Metadata with the signature and the pickup that details tell, where they have none."""
    signature = int(extras.signature[0])
    if description.signature is None and signature != NO_SIGNATURE:
        description = replace(description, signature=signature)
    if description.pickup is None:
        description = replace(description, pickup=extras.pickup)
    return description
