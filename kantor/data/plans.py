"""The plans of Bach's chorales, from what their scores tell."""

from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor import plan as plans
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError

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
    ends = _ends(details)
    if ends and UNKNOWN not in details.fermata:
        table[:, PHRASE] = plans.to_next(sorted({*ends, rows}), row)
    table[:, LEFT] = rows - row
    return table


def read(folder: Path, split: str) -> list[np.ndarray]:
    """The plans of a split of an edition, in order."""
    corpus = folder / "corpus.csv"
    if not corpus.exists():
        raise KantorError(f"{corpus}: no such file; run `dvc repro download`")
    in_split = [one for key, one in sorted(metadata.read(corpus).items()) if key[0] == split]
    paths = [folder / chorale.file_name(split, one.index) for one in in_split]
    grids = [chorale.read(path) for path in paths]
    return [
        plan(grid, details.beside(path, len(grid)), one)
        for grid, path, one in zip(grids, paths, in_split, strict=True)
    ]


def _ends(details: Details) -> list[int]:
    """The row after each note of the soprano that has a fermata."""
    held = details.fermata == 1
    over = np.append(~held[1:] | (details.struck[1:, 0] == 1), True)
    return (np.flatnonzero(held & over) + 1).tolist()
