"""The embedded edition: chorales from the scores that the package music21 carries.

`corpus_manifest.csv` says which score each chorale of the published archive comes from
and how it is read: its parts, with repeats as `written` or `expanded`, sampled in
sixteenths (a note sounds in every sixteenth whose start it covers); rests inside a voice
filled with the pitch before them where `fill_rests` is 1; every row repeated `stretch`
times; `segments` of it, as `row of the chorale:row of the score`; moved by `transpose`
semitones; the last chord held until there are `steps` rows.
"""

import csv
import math
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from music21 import corpus, stream
from music21.corpus import chorales as lists

from kantor.catalogue import Entry
from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOICES, check

MANIFEST = Path(__file__).with_name("corpus_manifest.csv")


def manifest() -> list[dict[str, str]]:
    """The rows of the project's corpus_manifest.csv."""
    with MANIFEST.open(newline="") as file:
        return list(csv.DictReader(file))


def read_all(rows: list[dict[str, str]]) -> Iterator[tuple[Entry, np.ndarray]]:
    """Read the manifest's `rows` on all cores at hand, in order, as they get ready."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        yield from pool.map(read_one, rows, chunksize=2)


def read_one(row: dict[str, str]) -> tuple[Entry, np.ndarray]:
    """Read the score of one manifest row: what is known of it, and its grid."""
    # Without forceSource, music21 keeps pickles in the machine's temporary folder.
    score = corpus.parse(row["score"], forceSource=True)
    parts = [_part(score, voice) for voice in VOICES]
    if row["repeats"] == "expanded":
        parts = [part.expandRepeats() for part in parts]
    grid = _arrange(sample(parts), row)
    check(grid, row["score"])
    return _describe(score, parts[0], row, len(grid)), grid


def sample(parts: list[stream.Part]) -> np.ndarray:
    """Sample the four parts of a score in sixteenths: a grid (rows, 4), without the silence after
    the last chord. Of several notes at once in a part the highest counts.
    """
    flats = [part.flatten() for part in parts]
    rows = max(math.ceil(flat.highestTime * ROWS_PER_QUARTER) for flat in flats)
    grid = np.zeros((rows, len(VOICES)), np.int64)
    for voice, flat in enumerate(flats):
        for note in flat.notes:
            if not note.duration.isGrace:
                start = math.ceil(note.offset * ROWS_PER_QUARTER)
                end = math.ceil((note.offset + note.quarterLength) * ROWS_PER_QUARTER)
                grid[start:end, voice] = max(pitch.midi for pitch in note.pitches)
    return grid[: np.flatnonzero(grid.any(axis=1))[-1] + 1]


def _part(score: stream.Score, voice: str) -> stream.Part:
    return next(p for p in score.parts if (p.partName or "").lower().startswith(voice))


def _arrange(grid: np.ndarray, row: dict[str, str]) -> np.ndarray:
    """Fill rests, stretch, cut into segments, transpose: what the manifest row says."""
    if row["fill_rests"] == "1":
        for voice in grid.T:
            sounding = np.flatnonzero(voice)
            places = np.arange(sounding[0], sounding[-1] + 1)
            voice[places] = voice[sounding[np.searchsorted(sounding, places, "right") - 1]]
    grid = np.repeat(grid, int(row["stretch"]), axis=0)
    segments = [tuple(map(int, pair.split(":"))) for pair in row["segments"].split()]
    ends = [start for start, _ in segments[1:]] + [int(row["steps"])]
    source = np.concatenate(
        [
            np.arange(first, first + end - start)
            for (start, first), end in zip(segments, ends, strict=True)
        ]
    )
    grid = grid[np.minimum(source, len(grid) - 1)]
    return np.where(grid == SILENCE, SILENCE, grid + int(row["transpose"]))


def _describe(score: stream.Score, soprano: stream.Part, row: dict[str, str], rows: int) -> Entry:
    bwv = re.fullmatch(r"bach/bwv(.+)\.(?:mxl|xml)", row["score"])[1]
    key = score.analyze("key").transpose(int(row["transpose"]))
    signature = soprano.recurse().getElementsByClass("KeySignature").first()
    metre = soprano.recurse().getElementsByClass("TimeSignature").first()
    first_bar = soprano.getElementsByClass("Measure").first()
    from_the_start = row["segments"].startswith("0:0") and row["stretch"] == "1"
    pickup = first_bar.barDuration.quarterLength - first_bar.paddingLeft
    return Entry(
        split=row["split"],
        index=int(row["index"]),
        rows=rows,
        bwv=bwv,
        title=_title(bwv),
        key=key.tonic.name.replace("-", "b"),
        mode=key.mode,
        signature="" if row["transpose"] != "0" else signature.sharps,
        metre=metre.ratioString,
        pickup=(float(pickup) if first_bar.paddingLeft else 0.0) if from_the_start else "",
    )


def _title(bwv: str) -> str:
    """The first line of the hymn, from music21's lists of chorales; "" if not there."""
    listed = lists.ChoraleListRKBWV().byBWV.get(bwv)
    if listed is None and bwv.isdigit():
        listed = lists.ChoraleList().byBWV.get(int(bwv))
    return listed["title"] if listed else ""
