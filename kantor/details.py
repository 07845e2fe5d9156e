"""What a chorale's score knows beyond its grid: bars, fermatas, signatures, notes struck again.

The file NAME.details.csv lies beside NAME.csv and has a line for each row: bar, place, fermata,
signature, and for each voice if a note begins. An empty cell is unknown.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor.system.errors import KantorError

UNKNOWN = -1
NO_SIGNATURE = -99
HEADER = "bar,place,fermata,signature,struck0,struck1,struck2,struck3"
SIGNATURE_COLUMN = 3
SUFFIX = ".details.csv"


class Details(NamedTuple):
    """What is known of each row. Where it isn't, a cell is UNKNOWN, or NO_SIGNATURE."""

    bar: np.ndarray  # int (rows,): rows in the bar that this row is in (4/4: 16)
    place: np.ndarray  # int (rows,): the row's place in that bar, from 0
    fermata: np.ndarray  # int (rows,): 1 while the soprano holds a note with a fermata, else 0
    signature: np.ndarray  # int (rows,): sharps (flats negative)
    struck: np.ndarray  # int (rows, 4): 1 where a note begins, 0 where it goes on or is silent


def to_csv(details: Details) -> str:
    """The text of a file of details."""
    table = np.column_stack(details)
    empty = np.full(table.shape[1], UNKNOWN)
    empty[SIGNATURE_COLUMN] = NO_SIGNATURE
    lines = [
        ",".join("" if cell == none else str(cell) for cell, none in zip(row, empty, strict=True))
        for row in table.tolist()
    ]
    return "\n".join([HEADER, *lines, ""])


def from_csv(text: str, name: str) -> Details:
    """Read what `to_csv` wrote; `name` is for the errors."""
    header, *lines = text.splitlines() or [""]
    if header != HEADER:
        raise KantorError(f"{name}: the first line is {header[:60]!r}; expected {HEADER!r}")
    empty = [UNKNOWN] * len(HEADER.split(","))
    empty[SIGNATURE_COLUMN] = NO_SIGNATURE
    table = [
        [int(cell or none) for cell, none in zip(line.split(","), empty, strict=True)]
        for line in lines
    ]
    columns = np.array(table, np.int64).reshape(-1, len(empty)).T
    return Details(*columns[:4], columns[4:].T)


def beside(chorale: Path, rows: int) -> Details | None:
    """The details of a chorale file of `rows` rows; None where there are none."""
    path = chorale.with_suffix(SUFFIX)
    if not path.exists():
        return None
    details = from_csv(path.read_text("utf-8"), str(path))
    if len(details.bar) != rows:
        raise KantorError(
            f"{path}: {len(details.bar)} rows; expected {rows}, as in {chorale.name}; run "
            "`dvc repro -f download`"
        )
    return details
