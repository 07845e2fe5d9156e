"""Details: made up by chance, and of one bar length throughout."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kantor.details import MOST_SHARPS, NO_SIGNATURE, UNKNOWN, Details, unknown


@st.composite
def any_details(draw: st.DrawFn) -> Details:
    """Details that the format can hold, of up to 30 rows."""
    rows = draw(st.integers(0, 30))

    def cells(*shape: int, least: int = UNKNOWN, most: int = 1) -> np.ndarray:
        return draw(arrays.arrays(np.int64, shape, elements=st.integers(least, most)))

    bar = cells(rows, least=1, most=48)
    place = np.minimum(cells(rows, most=47), bar - 1)
    bar = np.where(place == UNKNOWN, cells(rows, least=UNKNOWN, most=UNKNOWN), bar)
    signature = cells(rows, least=-MOST_SHARPS - 1, most=MOST_SHARPS)
    signature[signature < -MOST_SHARPS] = NO_SIGNATURE
    return Details(bar, place, cells(rows), signature, cells(rows, 4))


def in_bars(rows: int, bar: int = 16, first: int = 0) -> Details:
    """Details of bars of `bar` rows, from the place `first`; the rest is unknown."""
    place = (first + np.arange(rows)) % bar
    return unknown(rows)._replace(bar=np.full(rows, bar), place=place)


def same(one: Details, other: Details) -> bool:
    """Whether all cells are equal."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
