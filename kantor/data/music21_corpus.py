"""The edition `music21`: chorales from the scores that this package carries.

`corpus_manifest.csv` says for each chorale of the published archive which score it comes from
and how that is read, in this order:

- `repeats`: its parts with repeats as `written` or `expanded`, as a grid;
- `fill_rests`: if 1, rests inside a voice become the pitch before them;
- `stretch`: how often every row is repeated;
- `segments`: which rows are taken, as `row of the chorale:row of the score`;
- `transpose`: semitones that all is moved by;
- `steps`: rows of the chorale; the last chord is held until there are as many.

The details follow the notes through all of that.
"""

import csv
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from music21 import corpus, stream
from music21.corpus import chorales as hymns

from kantor import details
from kantor.chorale import SILENCE, VOICES, check
from kantor.details import NO_SIGNATURE, UNKNOWN, Details
from kantor.metadata import Metadata
from kantor.notation import reading
from kantor.system import parent

MANIFEST = Path(__file__).with_name("corpus_manifest.csv")


def manifest() -> list[dict[str, str]]:
    """The rows of the project's corpus_manifest.csv."""
    with MANIFEST.open(newline="") as file:
        return list(csv.DictReader(file))


def read_all(rows: list[dict[str, str]]) -> Iterator[tuple[Metadata, np.ndarray, Details]]:
    """Read the scores of manifest rows, in order, on all cores."""
    cores = len(os.sched_getaffinity(0))
    # Workers wait for work for ever, also when nobody is left to give them any.
    with ProcessPoolExecutor(cores, initializer=parent.end_with_parent) as pool:
        yield from pool.map(read_one, rows, chunksize=2)


def read_one(row: dict[str, str]) -> tuple[Metadata, np.ndarray, Details]:
    """Read the score of one manifest row: its metadata, its grid, and its details."""
    # Without forceSource, music21 keeps pickles in the machine's temporary folder.
    score = corpus.parse(row["score"], forceSource=True)
    parts = [_part(score, voice) for voice in VOICES]
    if row["repeats"] == "expanded":
        parts = [part.expandRepeats() for part in parts]
    grid = reading.sample(parts)
    grid, extras = _arrange(grid, reading.score_details(parts, grid), row)
    check(grid, row["score"])
    return _describe(score, parts[0], row, len(grid)), grid, extras


def fitted(extras: Details, grid: np.ndarray, published: np.ndarray) -> Details:
    """The details of a score, whose grid is (rows, 4), for the published chorale (rows, 4).

    Where a pitch changes in the score alone, it can't tell whether the published note is struck.
    """
    doubtful = details.changes(grid) & ~details.changes(published)
    struck = np.where(doubtful, UNKNOWN, extras.struck)
    return extras._replace(struck=details.settled(struck, published))


def _part(score: stream.Score, voice: str) -> stream.Part:
    return next(p for p in score.parts if (p.partName or "").lower().startswith(voice))


def _arrange(grid: np.ndarray, extras: Details, row: dict[str, str]) -> tuple[np.ndarray, Details]:
    """Fill rests, stretch, cut into segments, transpose: what the manifest row says."""
    if row["fill_rests"] == "1":
        for voice in grid.T:
            sounding = np.flatnonzero(voice)
            places = np.arange(sounding[0], sounding[-1] + 1)
            voice[places] = voice[sounding[np.searchsorted(sounding, places, "right") - 1]]
    grid, extras = _stretched(grid, extras, int(row["stretch"]))
    segments = [tuple(map(int, pair.split(":"))) for pair in row["segments"].split()]
    ends = [start for start, _ in segments[1:]] + [int(row["steps"])]
    source = np.concatenate(
        [
            np.arange(first, first + end - start)
            for (start, first), end in zip(segments, ends, strict=True)
        ]
    )
    grid, extras = grid[np.minimum(source, len(grid) - 1)], _taken(extras, source)
    semitones = int(row["transpose"])
    grid = np.where(grid == SILENCE, SILENCE, grid + semitones)
    signatures = _transposed(extras.signature, semitones)
    struck = details.settled(extras.struck, grid)
    return grid, extras._replace(signature=signatures, struck=struck)


def _stretched(grid: np.ndarray, extras: Details, times: int) -> tuple[np.ndarray, Details]:
    """Every row as often as `times`, where only the first of its copies is struck."""
    copy = np.tile(np.arange(times), len(grid))
    repeated = Details(*(np.repeat(column, times, axis=0) for column in extras))
    bar, place = (
        np.where(column == UNKNOWN, UNKNOWN, column * times)
        for column in (repeated.bar, repeated.place)
    )
    return np.repeat(grid, times, axis=0), repeated._replace(
        bar=bar,
        place=np.where(place == UNKNOWN, UNKNOWN, place + copy),
        struck=np.where(copy[:, None] == 0, repeated.struck, 0),
    )


def _taken(extras: Details, source: np.ndarray) -> Details:
    """The details of the rows `source`; after the last row, of the chord that is held there."""
    last = len(extras.bar) - 1
    taken = Details(*(column[np.minimum(source, last)] for column in extras))
    beyond = np.maximum(source - last, 0)
    place = np.where(taken.place == UNKNOWN, UNKNOWN, (taken.place + beyond) % abs(taken.bar))
    return taken._replace(place=place, struck=np.where(beyond[:, None] > 0, 0, taken.struck))


def _transposed(signature: np.ndarray, semitones: int) -> np.ndarray:
    """Signatures moved by `semitones`, each a step of seven fifths: the one with the fewest
    sharps or flats, and six sharps rather than six flats.
    """
    if not semitones:
        return signature
    return np.where(
        signature == NO_SIGNATURE, NO_SIGNATURE, (signature + 7 * semitones + 5) % 12 - 5
    )


def _describe(
    score: stream.Score, soprano: stream.Part, row: dict[str, str], rows: int
) -> Metadata:
    bwv = re.fullmatch(r"bach/bwv(.+)\.(?:mxl|xml)", row["score"])[1]
    key = score.analyze("key").transpose(int(row["transpose"]))
    signature = soprano.recurse().getElementsByClass("KeySignature").first()
    metre = soprano.recurse().getElementsByClass("TimeSignature").first()
    first_bar = soprano.getElementsByClass("Measure").first()
    from_the_start = row["segments"].startswith("0:0") and row["stretch"] == "1"
    pickup = first_bar.barDuration.quarterLength - first_bar.paddingLeft
    return Metadata(
        split=row["split"],
        index=int(row["index"]),
        rows=rows,
        bwv=bwv,
        title=_title(bwv),
        key=key.tonic.name.replace("-", "b"),
        mode=key.mode,
        signature=int(_transposed(np.array(signature.sharps), int(row["transpose"]))),
        metre=metre.ratioString,
        pickup=(float(pickup) if first_bar.paddingLeft else 0.0) if from_the_start else None,
    )


def _title(bwv: str) -> str:
    """The first line of the hymn, from music21's lists of chorales; "" if not there."""
    hymn = hymns.ChoraleListRKBWV().byBWV.get(bwv)
    if hymn is None and bwv.isdigit():
        hymn = hymns.ChoraleList().byBWV.get(int(bwv))
    return hymn["title"] if hymn else ""
