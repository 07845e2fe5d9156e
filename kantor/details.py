"""What the score of a chorale knows beyond its grid."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor.chorale import VOICES

UNKNOWN = -1
NO_SIGNATURE = -99


class Details(NamedTuple):
    """For each row of a grid; UNKNOWN, or NO_SIGNATURE, where the score does not tell."""

    bar: np.ndarray  # (rows,): rows in the bar that the row is in
    place: np.ndarray  # (rows,): the row's place in that bar, from 0
    fermata: np.ndarray  # (rows,): 1 while the soprano holds a note with a fermata, else 0
    signature: np.ndarray  # (rows,): sharps; flats are negative
    struck: np.ndarray  # (rows, 4): 1 where a note begins, 0 where it goes on, and in silence


def unknown(rows: int) -> Details:
    """The details of a grid of which nothing more is known."""
    bar, place, fermata = np.full((3, rows), UNKNOWN)
    struck = np.full((rows, len(VOICES)), UNKNOWN)
    return Details(bar, place, fermata, np.full(rows, NO_SIGNATURE), struck)


def beside(chorale: Path, rows: int) -> Details:
    """The details of a chorale file of so many rows."""
    return unknown(rows)
