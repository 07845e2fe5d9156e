"""corpus.csv: what is known of each chorale of an edition, a row each."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A row of corpus.csv: what is known of a chorale; empty where it is not.

    `rows` counts sixteenths, `signature` sharps (flats are negative) and `pickup`
    quarters; `key` is the tonic that music21's key finder (Krumhansl and Schmuckler)
    gives for the whole score.
    """

    split: str
    index: int
    rows: int = 0
    bwv: str = ""
    title: str = ""
    key: str = ""
    mode: str = ""
    signature: int | str = ""
    metre: str = ""
    pickup: float | str = ""


def write(entries: Iterable[Entry], path: Path) -> None:
    """Write corpus.csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Entry.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(entry) for entry in entries)


def read(path: Path) -> dict[tuple[str, int], dict[str, str]]:
    """Read corpus.csv: the columns of each chorale, by split and index, as they are written."""
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["split"], int(row["index"])): row for row in csv.DictReader(file)}


def of(chorale: Path) -> dict[str, str]:
    """The columns of the chorale in this file, such as test/chorale_305.csv beside corpus.csv;
    none if it is not from an edition.
    """
    corpus, number = chorale.parent.parent / "corpus.csv", chorale.stem.removeprefix("chorale_")
    if not (corpus.exists() and number.isdigit()):
        return {}
    return read(corpus).get((chorale.parent.name, int(number)), {})


def heading(row: Mapping[str, str]) -> str:
    """What a chorale is called: its hymn and its number in Schmieder's catalogue."""
    number = f"BWV {row['bwv']}" if row["bwv"] else ""
    return ", ".join(filter(None, [row["title"], number])) or f"{row['split']} {row['index']}"
