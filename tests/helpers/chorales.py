"""Bach's chorales, where `dvc repro` has left them."""

import numpy as np
import pytest

from helpers.project import PROJECT
from kantor import chorale

FOLDER = PROJECT / "data" / "chorales"


def of_split(split: str) -> list[np.ndarray]:
    """The grids of a split, in order; skips the test where they are not there."""
    if not (FOLDER / split).is_dir():
        pytest.skip(f"no chorales in {FOLDER}; run `dvc repro download`")
    return list(chorale.read_split(FOLDER, split).values())
