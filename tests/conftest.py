"""What several tests share."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings, strategies
from hypothesis.extra import numpy as arrays

from kantor import chorale, params

PROJECT = Path(__file__).parent.parent
ARCHIVE = PROJECT.parent / "shared" / "data" / "jsb_chorales.tgz"

settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("project")

pitches = strategies.one_of(
    strategies.just(chorale.SILENCE),
    strategies.integers(chorale.LOWEST, chorale.HIGHEST),
)
grids = strategies.integers(1, 40).flatmap(
    lambda rows: arrays.arrays(np.int64, (rows, 4), elements=pitches)
)


@pytest.fixture
def chosen() -> params.Params:
    """The settings of params.yaml."""
    return params.load(PROJECT / "params.yaml")


@pytest.fixture
def published() -> Path:
    """The published archive, where it is at hand."""
    if not ARCHIVE.exists():
        pytest.skip(f"the published archive is not at {ARCHIVE}")
    return ARCHIVE


def changed(block: params.Block, **changes: object) -> params.Block:
    """A copy of a block of settings with some keys changed, checked again."""
    return type(block).model_validate(block.model_dump() | changes)


def flat(content: dict, before: str = "", whole: str = "") -> dict[str, object]:
    """Settings by key, such as `train.epochs`; the block `whole` is left as it is."""
    found = {}
    for key, value in content.items():
        name = f"{before}{key}"
        inner = isinstance(value, dict) and name != whole
        found |= flat(value, f"{name}.", whole) if inner else {name: value}
    return found


def random_grid(rows: int, seed: int = 0) -> np.ndarray:
    """A grid of held random chords, with some rests."""
    draw = np.random.default_rng(seed)
    chords = draw.integers(chorale.LOWEST, chorale.HIGHEST + 1, (rows // 2 + 1, 4))
    chords[draw.random(chords.shape) < 0.05] = chorale.SILENCE
    chords[0] = [67, 62, 59, 43]
    return chords.repeat(2, axis=0)[:rows]
