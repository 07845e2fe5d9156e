"""The plans that the chorales of an edition follow."""

from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.plan import BAR, LEFT, PLACE, unknown


def plan(details: Details, metadata: Metadata, rows: int) -> np.ndarray:
    """The plan (rows, 6) that a chorale follows."""
    columns = unknown(rows)
    columns[:, BAR], columns[:, PLACE] = details.bar, details.place
    columns[:, LEFT] = np.arange(rows, 0, -1)
    return columns


def read(folder: Path, split: str) -> list[np.ndarray]:
    """The plans (rows, 6) of a split's chorales, in order."""
    plans = []
    for index, grid in chorale.read_split(folder, split).items():
        path = folder / chorale.file_name(split, index)
        plans.append(plan(details.beside(path, len(grid)), metadata.beside(path), len(grid)))
    return plans
