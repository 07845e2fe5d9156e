"""The plans of Bach's chorales, from what their scores tell."""

from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor import plan as plans
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN

BASS, OCTAVE = 3, 12


def plan(grid: np.ndarray, details: Details, metadata: Metadata) -> np.ndarray:
    """The plan (rows, 6) of a chorale; UNKNOWN where its details and metadata don't tell.

    Its last phrase goes to the end of the piece. A score without any fermata tells no phrases. The
    key is told if the piece ends on its tonic, as six of seven do: what is asked for a key then
    ends there, too.
    """
    rows = len(grid)
    row = np.arange(rows)
    table = plans.unknown(rows)
    if metadata.key and metadata.mode:
        tonic, mode = plans.tonality(f"{metadata.key} {metadata.mode}")
        if grid[-1, BASS] % OCTAVE == tonic:
            table[:, [TONIC, MODE]] = tonic, mode
    table[:, BAR], table[:, PLACE] = details.bar, details.place
    if ends := phrase_ends(details):
        table[:, PHRASE] = plans.to_next(sorted({*ends, rows}), row)
    table[:, LEFT] = rows - row
    return table


def read(folder: Path, split: str) -> list[np.ndarray]:
    """The plans of a split of an edition, in order."""
    corpus = metadata.read(folder / "corpus.csv")
    tables = []
    for index, grid in chorale.read_split(folder, split).items():
        extras = details.beside(folder / chorale.file_name(split, index), len(grid))
        tables.append(plan(grid, extras, corpus[split, index]))
    return tables


def phrase_ends(details: Details) -> list[int]:
    """The row after each note of the soprano that has a fermata, in order; [] if none has, or if
    it is not told.
    """
    if UNKNOWN in details.fermata:
        return []
    held = details.fermata == 1
    over = np.append(~held[1:] | (details.struck[1:, 0] == 1), True)
    return (np.flatnonzero(held & over) + 1).tolist()
