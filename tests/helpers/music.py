"""Grids: of made-up music, and of the published archive."""

from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies
from hypothesis.extra import numpy as arrays

from kantor import chorale
from kantor.data import archive

pitches = strategies.one_of(
    strategies.just(chorale.SILENCE),
    strategies.integers(chorale.LOWEST, chorale.HIGHEST),
)
grids = strategies.integers(1, 40).flatmap(
    lambda rows: arrays.arrays(np.int64, (rows, 4), elements=pitches)
)


def random_grid(rows: int, seed: int = 0) -> np.ndarray:
    """A grid of held random chords, with some rests."""
    draw = np.random.default_rng(seed)
    chords = draw.integers(chorale.LOWEST, chorale.HIGHEST + 1, (rows // 2 + 1, 4))
    chords[draw.random(chords.shape) < 0.05] = chorale.SILENCE
    chords[0] = [67, 62, 59, 43]
    return chords.repeat(2, axis=0)[:rows]


@cache
def unpacked(path: Path) -> dict[tuple[str, int], np.ndarray]:
    """The chorales of the published archive, by split and number."""
    with path.open("rb") as file:
        return archive.unpack(file, 16 * archive.MEBIBYTE)
