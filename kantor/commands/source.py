"""A score that a command goes on from, completes or ends with, and the plan that it tells."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor import params, planning
from kantor.data import plans
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.notation import files
from kantor.params import Wish


class Source(NamedTuple):
    """A grid (rows, 4), its plan (rows, 6), its details, and what is known of it."""

    grid: np.ndarray
    plan: np.ndarray
    details: Details
    metadata: Metadata

    def first(self, rows: int) -> "Source":
        """What its first rows are."""
        details = Details(*(column[:rows] for column in self.details))
        return Source(self.grid[:rows], self.plan[:rows], details, self.metadata)


def read(path: Path, wish: Wish) -> Source:
    """Read four voices, of a CSV or a score; what is wished replaces what the file tells.

    Raises KantorError if it can't be read, or a note is not as a grid can hold it.
    """
    grid, metadata, details = files.read(path, exact=True)
    told = {
        "key": f"{metadata.key} {metadata.mode}" if metadata.key and metadata.mode else None,
        "metre": metadata.metre or None,
        "pickup": metadata.pickup,
    }
    both = params.checked(params.Wish, told | wish.model_dump(exclude_none=True), str(path))
    plan = planning.as_wished(plans.plan(grid, details, metadata), wish, both)
    described = planning.described(plan, both)
    if not wish.key:
        described = replace(described, signature=metadata.signature)
    return Source(grid, plan, details, described)
