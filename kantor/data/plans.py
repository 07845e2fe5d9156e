"""The plans of Bach's chorales, from what their scores tell."""

from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor import plan as plans
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError


def plan(details: Details, metadata: Metadata, rows: int) -> np.ndarray:
    """The plan (rows, 6) of a chorale; UNKNOWN where its details and metadata don't tell.

    Its last phrase goes to the end of the piece. A score without any fermata tells no phrases.
    """
    row = np.arange(rows)
    table = plans.unknown(rows)
    if metadata.key and metadata.mode:
        table[:, [TONIC, MODE]] = plans.tonality(f"{metadata.key} {metadata.mode}")
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
    chorales = [one for key, one in sorted(metadata.read(corpus).items()) if key[0] == split]
    return [
        plan(details.beside(folder / chorale.file_name(split, one.index), one.rows), one, one.rows)
        for one in chorales
    ]


def _ends(details: Details) -> list[int]:
    """The row after each note of the soprano that has a fermata."""
    held = details.fermata == 1
    over = np.append(~held[1:] | (details.struck[1:, 0] == 1), True)
    return (np.flatnonzero(held & over) + 1).tolist()
