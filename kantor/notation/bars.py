"""Where in its bars a row of a grid is, as musicians count: bar 3, beat 2."""

from typing import NamedTuple

from kantor.chorale import ROWS_PER_QUARTER
from kantor.metadata import Metadata

ROWS_PER_WHOLE = 4 * ROWS_PER_QUARTER
DEFAULT_METRE = "4/4"


class Bars(NamedTuple):
    """The metre, such as 3/4, and the rows of the pickup, 0 = none.

    The first whole bar is bar 1, so a pickup is bar 0, and its beats are the last of a bar. The
    lower number of the metre says what a beat is.
    """

    metre: str
    pickup: int

    @classmethod
    def of_metadata(cls, metadata: Metadata) -> "Bars":
        """The bars that metadata tell; where they don't, four quarters from the first row on."""
        metre = metadata.metre or DEFAULT_METRE
        rows = Bars(metre, 0).rows
        return cls(metre, int((metadata.pickup or 0) * ROWS_PER_QUARTER % rows))

    @property
    def rows(self) -> float:
        """The rows of a whole bar."""
        beats, unit = map(int, self.metre.split("/"))
        return beats * ROWS_PER_WHOLE / unit

    def place(self, row: int) -> tuple[int, float]:
        """Bar and beat of a row; 2.5 is half-way from beat 2 to beat 3."""
        bar, inside = divmod(row - self.pickup, self.rows)
        beat = 1 + inside * int(self.metre.split("/")[1]) / ROWS_PER_WHOLE
        return int(bar) + 1, beat

    def words(self, row: int) -> str:
        """Bar and beat of a row, such as "bar 3, beat 2.5"."""
        bar, beat = self.place(row)
        return f"bar {bar}, beat {beat:g}"
