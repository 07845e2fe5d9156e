"""Bars: which rows of a grid they hold, and where in them a row is, as musicians count: bar 3,
beat 2.
"""

from bisect import bisect
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER
from kantor.details import UNKNOWN, Details
from kantor.plan import ROWS_PER_WHOLE, metre_name

DEFAULT_METRE = "4/4"


class Bar(NamedTuple):
    """A bar: its number, its metre, such as 3/4, the row where it begins and that before which
    it ends, and how many rows of it are missing before them, as in a pickup.
    """

    number: int
    metre: str
    begin: int
    end: int
    missing: int

    @property
    def missing_after(self) -> int:
        """How many rows are missing at its end, as where a repeat cuts it short."""
        return bar_rows(self.metre) - self.missing - (self.end - self.begin)


class Bars(tuple[Bar, ...]):
    """The bars of a piece, in order. The first whole one is bar 1, so a pickup is bar 0, and its
    beats are the last of a bar.
    """

    @classmethod
    def of(
        cls, rows: int, metre: str = "", pickup: float | None = None, details: Details | None = None
    ) -> "Bars":
        """The bars of a piece of `rows` rows: those of the details, if they tell them for all
        rows, or else of this metre after a pickup in quarters; "" is 4/4, and None no pickup.
        """
        metre = metre or DEFAULT_METRE
        if details is not None and told(details):
            return cls._of_places(details.bar, details.place, metre)
        length = bar_rows(metre)
        places = (np.arange(rows) - round((pickup or 0) * ROWS_PER_QUARTER)) % length
        return cls._of_places(np.full(rows, length), places, metre)

    @classmethod
    def _of_places(cls, lengths: np.ndarray, places: np.ndarray, metre: str) -> "Bars":
        """The bars of rows that are each in a bar of `lengths` (rows,), at `places` (rows,) of
        it; `metre` is the one to prefer of those that a length has.
        """
        lines = (np.diff(places) != 1) | (places[1:] == 0) | (np.diff(lengths) != 0)

        def named(length: int) -> str:
            return metre if length == bar_rows(metre) else metre_name(length)

        begins = [0, *(np.flatnonzero(lines) + 1).tolist(), len(places)]
        first = 0 if places[0] else 1
        return cls(
            Bar(number, named(int(lengths[begin])), begin, end, int(places[begin]))
            for number, (begin, end) in enumerate(pairwise(begins), start=first)
        )

    @property
    def pickup(self) -> int:
        """The rows before the first whole bar."""
        return self[0].end if self[0].missing else 0

    @property
    def metres(self) -> list[str]:
        """The metres, one after the other."""
        return [metre for metre, _ in groupby(bar.metre for bar in self)]

    def at(self, row: int) -> Bar:
        """The bar in which a row is."""
        return self[bisect([bar.begin for bar in self], row) - 1]

    def place(self, row: int) -> tuple[int, float]:
        """Bar and beat of a row; 2.5 is half-way from beat 2 to beat 3. The lower number of the
        metre says what a beat is.
        """
        bar = self.at(row)
        inside = bar.missing + row - bar.begin
        return bar.number, 1 + inside * int(bar.metre.split("/")[1]) / ROWS_PER_WHOLE

    def words(self, row: int) -> str:
        """Bar and beat of a row, such as "bar 3, beat 2.5"."""
        bar, beat = self.place(row)
        return f"bar {bar}, beat {beat:g}"


def told(details: Details) -> bool:
    """Whether details tell the bars, for all rows."""
    return bool((np.stack([details.bar, details.place]) != UNKNOWN).all())


def bar_rows(metre: str) -> int:
    """The rows of a whole bar."""
    beats, unit = map(int, metre.split("/"))
    return max(1, round(beats * ROWS_PER_WHOLE / unit))
