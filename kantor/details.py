"""What the score of a chorale knows beyond its grid, and the file that keeps it.

The details of `chorale_007.csv` lie beside it in `chorale_007.details.csv`: a line for each row,
with the columns bar, place, fermata, signature and struck0 to struck3, soprano first. What is not
known is an empty cell.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor import plan
from kantor.chorale import SILENCE, VOICES, read_text
from kantor.system.errors import KantorError
from kantor.system.intermediate import again

UNKNOWN = -1
NO_SIGNATURE = -99
MOST_SHARPS = 7

HEADER = "bar,place,fermata,signature,struck0,struck1,struck2,struck3"
COLUMNS = HEADER.split(",")
# What stands for an empty cell, column by column.
EMPTY = [NO_SIGNATURE if column == "signature" else UNKNOWN for column in COLUMNS]
CELL = re.compile(r"(-?[0-9]{1,4})?")
YES_NO = "1 (yes), 0 (no) or nothing (unknown)"
EXPECTED = {
    "bar": "rows in the bar, 1 or more, or nothing (unknown)",
    "place": "a row in the bar, 0 to bar - 1, or nothing (unknown)",
    "fermata": YES_NO,
    "signature": f"sharps, {-MOST_SHARPS} to {MOST_SHARPS}, or nothing (unknown)",
    **dict.fromkeys(COLUMNS[4:], YES_NO),
}


class Details(NamedTuple):
    """Int arrays with the rows of a grid; -1 in a cell is unknown, in `signature` -99 is."""

    bar: np.ndarray  # (rows,): rows in the bar that the row is in, 16 in 4/4
    place: np.ndarray  # (rows,): the row's place in that bar, from 0
    fermata: np.ndarray  # (rows,): 1 while the soprano holds a note with a fermata, else 0
    signature: np.ndarray  # (rows,): sharps; flats are negative
    # (rows, 4): 1 where a note begins, even if its pitch is the one before; 0 where it goes on or
    # the voice is silent.
    struck: np.ndarray

    @property
    def pickup(self) -> float | None:
        """The quarters before the first whole bar, None if that isn't known."""
        return plan.pickup(int(self.bar[0]), int(self.place[0]))


def unknown(rows: int) -> Details:
    """Details of which nothing is known."""
    return _details(np.tile(EMPTY, (rows, 1)))


def changes(grid: np.ndarray) -> np.ndarray:
    """Where a voice of a grid (rows, 4) takes another pitch or falls silent: bool (rows, 4)."""
    return np.diff(grid, axis=0, prepend=SILENCE) != 0


def settled(struck: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Struck cells (rows, 4) that agree with their grid or tokens (rows, 4): a new pitch is struck,
    and silence isn't.
    """
    return np.where(grid == SILENCE, 0, np.where(changes(grid), 1, struck))


def check(details: Details, name: str) -> None:
    """Raise KantorError unless all cells have values that their column can have."""
    table = _table(details)
    bar, place, signature = details.bar, details.place, details.signature
    right = np.isin(table, [UNKNOWN, 0, 1])
    right[:, COLUMNS.index("bar")] = (bar >= 1) | (bar == UNKNOWN)
    right[:, COLUMNS.index("place")] = ((place >= 0) & (place < bar)) | (place == UNKNOWN)
    right[:, COLUMNS.index("signature")] = (abs(signature) <= MOST_SHARPS) | (
        signature == NO_SIGNATURE
    )
    wrong = np.argwhere(~right)
    if len(wrong):
        row, column = wrong[0]
        raise _wrong_cell(name, row, column, table[row, column])


def to_csv(details: Details) -> str:
    """The one canonical text of details."""
    lines = (
        ",".join("" if cell == empty else str(cell) for cell, empty in zip(row, EMPTY, strict=True))
        for row in _table(details).tolist()
    )
    return "\n".join([HEADER, *lines, ""])


def from_csv(text: str, name: str) -> Details:
    """Read details from their text and check them; `name` is for the errors."""
    header, *lines = text.splitlines() or [""]
    if header.strip() != HEADER:
        raise KantorError(f"{name}: the first line is {header[:80]!r}; expected {HEADER!r}")
    table = np.tile(EMPTY, (len(lines), 1))
    for row, line in enumerate(lines):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != len(COLUMNS):
            raise KantorError(
                f"{name}, row {row} (line {row + 2}): {len(cells)} columns; "
                f"expected {len(COLUMNS)}, {HEADER}"
            )
        for column, cell in enumerate(cells):
            # An empty cell has one text, so that details have one.
            if not CELL.fullmatch(cell) or (cell and int(cell) == EMPTY[column]):
                raise _wrong_cell(name, row, column, cell)
            table[row, column] = int(cell) if cell else EMPTY[column]
    details = _details(table)
    check(details, name)
    return details


def file_beside(chorale: Path) -> Path:
    """Where the details of a chorale's file are."""
    return chorale.parent / f"{chorale.stem}.details.csv"


def read(path: Path) -> Details:
    """Read and check one file of details."""
    return from_csv(read_text(path, HEADER, "no such details; run `dvc repro download`"), str(path))


def beside(chorale: Path, rows: int) -> Details:
    """The details of a chorale's file, which has `rows` rows; unknown where there are none."""
    path = file_beside(chorale)
    if not path.exists():
        return unknown(rows)
    try:
        details = read(path)
        if len(details.bar) != rows:
            raise KantorError(
                f"{path}: {len(details.bar)} rows; expected {rows}, as in {chorale.name}"
            )
    except KantorError as error:
        raise KantorError(f"{error}; remove it, or {again('download')}") from None
    return details


def _table(details: Details) -> np.ndarray:
    """All columns (rows, 8), in the order of the file."""
    return np.column_stack(details)


def _details(table: np.ndarray) -> Details:
    return Details(*table[:, : -len(VOICES)].T, table[:, -len(VOICES) :])


def _wrong_cell(name: str, row: int, column: int, cell: object) -> KantorError:
    return KantorError(
        f"{name}, row {row} (line {row + 2}), {COLUMNS[column]}: {cell!s:.40} is there; "
        f"expected {EXPECTED[COLUMNS[column]]}"
    )
