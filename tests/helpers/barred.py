"""Details of made-up music."""

import numpy as np
from hypothesis import strategies as st

from helpers.music import grids
from kantor import chorale
from kantor.details import Details

# The rows of a bar, how many are missing before its first and after its last.
BARS = st.one_of(
    st.tuples(st.sampled_from([8, 12, 16, 24]), st.just(0), st.just(0)),
    st.just((16, 0, 4)),
    st.just((16, 12, 0)),
    st.just((12, 8, 0)),
)


@st.composite
def grids_with_details(draw: st.DrawFn) -> tuple[np.ndarray, Details]:
    """Grids and details that fit: bars of all kinds, notes struck again, fermatas on notes."""
    grid = draw(grids)
    grid[-1, 0] = 60  # silence at the end is not part of a score
    rows = len(grid)
    again = np.array(draw(st.lists(st.booleans(), min_size=grid.size, max_size=grid.size)))
    new = np.diff(grid, axis=0, prepend=chorale.SILENCE) != 0
    struck = ((again.reshape(grid.shape) | new) & (grid != chorale.SILENCE)).astype(int)
    fermata = np.zeros(rows, int)
    for begin, end in chorale.runs(grid[:, 0], struck[:, 0]):
        fermata[begin:end] = struck[begin, 0] and draw(st.booleans())
    bars = draw(st.lists(BARS, min_size=rows // 4 + 1, max_size=rows // 4 + 1))
    return grid, Details(*places(bars, rows), fermata, np.zeros(rows, int), struck)


def places(bars: list[tuple[int, int, int]], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The bar and place of `rows` rows in bars, each as in BARS."""
    lengths = np.concatenate([[length] * (length - a - b) for length, a, b in bars])
    inside = np.concatenate([np.arange(a, length - b) for length, a, b in bars])
    return lengths[:rows], inside[:rows]


def of_bars(bars: list[tuple[int, int, int]]) -> Details:
    """Details that tell the bars, as in BARS, and nothing else."""
    rows = sum(length - a - b for length, a, b in bars)
    none = np.full(rows, -1)
    return Details(*places(bars, rows), none, np.full(rows, -99), np.full((rows, 4), -1))
