"""What a chorale is: the grid, its file, and its tokens.

A **grid** is an int array (rows, 4): soprano, alto, tenor, bass, as MIDI pitches,
0 = silence; a row lasts one sixteenth. A **token** is 0 for silence and 1-46 for the
pitches 36-81. An **arpeggio** is the tokens of the rows in order, flat:
S, A, T, B, S, A, T, B, ... Only records and the inputs of a model have that form.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from kantor import metadata
from kantor.system import inputs
from kantor.system.errors import KantorError
from kantor.system.intermediate import again, reading

VOICES = ("soprano", "alto", "tenor", "bass")
SPLITS = ("train", "valid", "test")
SILENCE = 0
LOWEST, HIGHEST = 36, 81
NEVER = 128  # above all MIDI pitches
VOCABULARY_SIZE = HIGHEST - LOWEST + 2
ROWS_PER_QUARTER = 4

# Of a file that is read: four times the longest piece that can be asked for.
MOST_ROWS = 16_384
MOST_MEBIBYTES = 1.0  # such a file has a fifth of it, and its details a half

SUFFIX = ".csv"
HEADER = "note0,note1,note2,note3"
FILE_NAME = re.compile(r"chorale_(\d{3})\.csv")
DETAILS_NAME = re.compile(r"chorale_\d{3}\.details\.csv")  # see kantor.details
EXPECTED_CELL = f"a whole number, 0 (silence) or {LOWEST} to {HIGHEST}"


def encode(grid: np.ndarray) -> np.ndarray:
    """Turn a grid (rows, 4) into tokens (rows, 4), int32."""
    return np.where(grid == SILENCE, SILENCE, grid - LOWEST + 1).astype(np.int32)


def decode(tokens: np.ndarray) -> np.ndarray:
    """Turn tokens (rows, 4) back into their grid (rows, 4)."""
    tokens = np.asarray(tokens, np.int64)
    return np.where(tokens == SILENCE, SILENCE, tokens + LOWEST - 1)


def runs(values: np.ndarray, struck: np.ndarray | None = None) -> list[tuple[int, int]]:
    """Begin and end of each run of equal values (n,), such as the held notes of a voice. Where
    `struck` (n,) is 1 another run begins, as a note does that is struck again.
    """
    begins = np.diff(values) != 0
    if struck is not None:
        begins |= struck[1:] == 1
    changes = np.flatnonzero(begins) + 1
    return list(pairwise([0, *changes.tolist(), len(values)])) if len(values) else []


def check(grid: np.ndarray, name: str) -> None:
    """Raise KantorError unless `grid` has rows, and all pitches are in range."""
    if len(grid) == 0:
        raise KantorError(f"{name}: no rows; expected at least one row of four notes")
    wrong = out_of_range(grid)
    if len(wrong):
        row, voice = wrong[0]
        raise _wrong_cell(name, row, voice, grid[row, voice])


def out_of_range(grid: np.ndarray) -> np.ndarray:
    """Row and voice (n, 2) of each pitch of a grid that no chorale has, in order."""
    return np.argwhere((grid != SILENCE) & ((grid < LOWEST) | (grid > HIGHEST)))


def ranges(grids: Iterable[np.ndarray]) -> np.ndarray:
    """The lowest and the highest note of each voice (4, 2) in grids or tokens (rows, 4); NEVER and
    0 for a voice that is silent throughout.
    """
    rows = np.concatenate(list(grids))
    return np.stack([np.where(rows == SILENCE, NEVER, rows).min(axis=0), rows.max(axis=0)], axis=1)


def check_sounds(grid: np.ndarray, name: str) -> None:
    """Raise KantorError if `grid` is all silence, from which there is nothing to learn."""
    if not grid.any():
        raise KantorError(f"{name}: silence in every row and voice; expected some notes")


def to_csv(grid: np.ndarray) -> str:
    """Write a grid in the archive's format, the one canonical text of a chorale."""
    return "\n".join([HEADER, *(",".join(map(str, row)) for row in grid.tolist()), ""])


def from_csv(text: str, name: str) -> np.ndarray:
    """Read a grid from the archive's format and check it; `name` is for the errors."""
    header, *lines = text.splitlines() or [""]
    if header.strip() != HEADER:
        raise KantorError(f"{name}: the first line is {header[:60]!r}; expected {HEADER!r}")
    if len(lines) > MOST_ROWS:
        raise KantorError(
            f"{name}: {len(lines)} rows; expected {MOST_ROWS} at most; cut it into pieces"
        )
    rows = []
    for row, line in enumerate(lines):
        cells = line.split(",")
        if len(cells) != len(VOICES):
            raise KantorError(
                f"{name}, row {row} (line {row + 2}): {len(cells)} columns; "
                f"expected four, {', '.join(VOICES)}"
            )
        for voice, cell in enumerate(cells):
            if not (cell.strip().isascii() and cell.strip().isdigit() and len(cell) < 9):
                raise _wrong_cell(name, row, voice, cell)
        rows.append([int(cell) for cell in cells])
    grid = np.array(rows, np.int64).reshape(-1, len(VOICES))
    check(grid, name)
    return grid


def read(path: Path, missing: str = "no such chorale; run `dvc repro download`") -> np.ndarray:
    """Read and check one chorale file; `missing` says that there is none."""
    return from_csv(read_text(path, HEADER, missing), str(path))


def read_text(path: Path, header: str, missing: str) -> str:
    """The text of a CSV file of this header; `missing` says that there is none."""
    inputs.check(path, f"CSV, {header!r}", MOST_MEBIBYTES, missing)
    try:
        # Some programs write a byte order mark in front.
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise KantorError(f"{path}: not a text file; expected CSV, {header!r}") from None


def read_split(folder: Path, split: str) -> dict[int, np.ndarray]:
    """Read `folder`/`split`/chorale_NNN.csv, by the chorale's number, in order.

    Raises KantorError unless they are the chorales that corpus.csv in the folder lists.
    """
    files = (folder / split).glob("*.csv")
    paths = sorted(path for path in files if not DETAILS_NAME.fullmatch(path.name))
    if not paths:
        raise KantorError(f"{folder / split}: no chorales in it; run `dvc repro download`")
    grids = {}
    for path in paths:
        if not (name := FILE_NAME.fullmatch(path.name)):
            raise KantorError(f"{path}: expected a name such as chorale_007.csv; rename it")
        with reading(path, "download"):
            grids[int(name[1])] = grid = read(path)
            check_sounds(grid, str(path))
    _check_listed(folder, split, grids)
    return grids


def file_name(split: str, index: int) -> str:
    """The path of a chorale below the folder of its edition."""
    return f"{split}/chorale_{index:03d}.csv"


def digest(chorales: Mapping[tuple[str, int], np.ndarray]) -> str:
    """Identify an edition: sha256 over the names and canonical texts of its chorales."""
    total = hashlib.sha256()
    for key in sorted(chorales):
        total.update(f"{file_name(*key)}\n{to_csv(chorales[key])}".encode())
    return total.hexdigest()


def _check_listed(folder: Path, split: str, grids: Mapping[int, np.ndarray]) -> None:
    """Raise KantorError unless corpus.csv lists these chorales with their rows, and details lie
    beside those that have a score.
    """
    corpus = folder / "corpus.csv"
    rows = {row.index: row for (name, _), row in metadata.read(corpus).items() if name == split}
    for index in sorted({*grids, *rows}):
        path = folder / file_name(split, index)
        if index not in grids:
            wrong = f"{path}: no such chorale; expected one of {rows[index].rows} rows"
        elif index not in rows:
            wrong = f"{path}: a chorale that is not expected"
        elif len(grids[index]) != rows[index].rows:
            wrong = f"{path}: {len(grids[index])} rows; expected {rows[index].rows}"
        elif rows[index].bwv and not path.with_suffix(".details.csv").exists():
            wrong = f"{path.with_suffix('.details.csv')}: no such details; expected them"
        else:
            continue
        raise KantorError(f"{wrong}, as {corpus} says; {again('download')}")


def _wrong_cell(name: str, row: int, voice: int, cell: object) -> KantorError:
    return KantorError(
        f"{name}, row {row} (line {row + 2}), {VOICES[voice]}: {cell!s:.40} is there; "
        f"expected {EXPECTED_CELL}"
    )
