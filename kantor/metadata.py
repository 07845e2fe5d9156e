"""What is known of a chorale beside its notes, and corpus.csv, which keeps it for an edition."""

import csv
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from kantor.system.errors import KantorError
from kantor.system.intermediate import again


@dataclass(frozen=True)
class Metadata:
    """A row of corpus.csv. What is not known is "" or None, and empty in the file.

    `index` is the chorale's number in its `split`. `rows` counts sixteenths, `signature` sharps
    (flats are negative) and `pickup` quarters before the first whole bar; `metre` is such as
    4/4. `key` is the tonic, such as Bb, and `mode` major or minor, as music21's key finder
    (Krumhansl and Schmuckler) gives them for the whole score.
    """

    split: str = ""
    index: int | None = None
    rows: int = 0
    bwv: str = ""
    title: str = ""
    key: str = ""
    mode: str = ""
    signature: int | None = None
    metre: str = ""
    pickup: float | None = None

    @property
    def heading(self) -> str:
        """What a chorale is called: its hymn and its number in Schmieder's catalogue."""
        number = f"BWV {self.bwv}" if self.bwv else ""
        return ", ".join(filter(None, [self.title, number])) or f"{self.split} {self.index}"


COLUMNS = [field.name for field in fields(Metadata)]
# What a text can be, apart from empty.
TEXTS = {
    "key": re.compile("[A-G][#b]?"),
    "mode": re.compile("major|minor"),
    "metre": re.compile("[1-9][0-9]?/(1|2|4|8|16)"),
}
# From where to where a number can be, apart from None.
RANGES = {"index": (0, 999), "rows": (0, 10**6), "signature": (-7, 7), "pickup": (0, 100)}
NUMBERS = {"index": int, "rows": int, "signature": int, "pickup": float}


def write(rows: Iterable[Metadata], path: Path) -> None:
    """Write corpus.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def read(path: Path) -> dict[tuple[str, int], Metadata]:
    """Read corpus.csv, by split and index."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = [_parsed(row) for row in reader]
            header = reader.fieldnames or []
        if header != COLUMNS:
            raise ValueError(f"its first line is {','.join(header)!r:.80}")
        by_place = {(row.split, row.index): row for row in rows}
        if len(by_place) < len(rows):
            raise ValueError("a chorale is there twice")
    except FileNotFoundError:
        raise KantorError(f"{path}: no such file; run `dvc repro download`") from None
    except (TypeError, ValueError, csv.Error) as error:
        raise KantorError(
            f"{path}: {' '.join(str(error).split()):.150}; expected the columns and numbers that "
            f"download writes; {again('download')}"
        ) from None
    return by_place


def check(one: Metadata) -> None:
    """Raise ValueError if a field has a value that no chorale has."""
    for name, pattern in TEXTS.items():
        text = getattr(one, name)
        if text and not pattern.fullmatch(text):
            raise ValueError(f"{name} is {text!r:.40}")
    for name, (least, most) in RANGES.items():
        number = getattr(one, name)
        if number is not None and not least <= number <= most:
            raise ValueError(f"{name} is {number}, not {least} to {most}")


def beside(chorale: Path) -> Metadata:
    """What corpus.csv tells of the chorale in a file such as test/chorale_305.csv beside it;
    nothing if the file is not part of an edition.
    """
    corpus, number = chorale.parent.parent / "corpus.csv", chorale.stem.removeprefix("chorale_")
    if not (corpus.exists() and number.isdigit()):
        return Metadata()
    return read(corpus).get((chorale.parent.name, int(number)), Metadata())


def _parsed(row: dict[str, str]) -> Metadata:
    for name, text in row.items():
        if text is None:
            raise ValueError(f"a row ends before its {name}")
    numbers = {name: kind(row[name]) for name, kind in NUMBERS.items() if row.get(name)}
    texts = {name: text for name, text in row.items() if name not in NUMBERS}
    one = Metadata(**texts, **numbers)
    check(one)
    return one
