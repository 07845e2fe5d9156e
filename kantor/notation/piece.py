"""A piece: its notes and what is known of it; as data, and in the formats that people use."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from music21 import stream
from pydantic import PositiveInt

from kantor import chorale, details, metadata, synth
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.notation import score
from kantor.params import Block, Render
from kantor.system.errors import KantorError
from kantor.system.intermediate import read_json, reading

BACH = "Johann Sebastian Bach"
INDEX = "pieces.json"
NAME = re.compile(r"\w+")
STAGE = "compose"  # which saves pieces


class Piece(NamedTuple):
    """A grid (rows, 4), what its score is headed with, what is known of its key and metre, and
    of each row.
    """

    grid: np.ndarray
    title: str
    composer: str = "Kantor"
    metadata: Metadata = Metadata()
    details: Details | None = None

    @property
    def struck(self) -> np.ndarray | None:
        """Where a note begins (rows, 4), as in details; None if there are none."""
        return None if self.details is None else self.details.struck

    def first(self, rows: int) -> "Piece":
        """The piece that its first rows are."""
        details = self.details
        if details is not None:
            details = Details(*(column[:rows] for column in details))
        return self._replace(grid=self.grid[:rows], details=details)

    def score(self, tempo: float) -> stream.Score:
        """The piece as a score; `tempo` is in quarters a minute."""
        setting = score.setting_for(self.grid, self.metadata)
        return score.build(self.grid, setting, self.title, self.composer, tempo, self.details)


class Entry(Block):
    """What pieces.json tells of a piece."""

    title: str
    composer: str
    rows: PositiveInt
    details: bool
    metadata: Metadata


def save(pieces: Mapping[str, Piece], folder: Path) -> None:
    """Write pieces as data: each grid as NAME.csv, with its details, if there are any, as
    NAME.details.csv beside it, and all else as pieces.json.
    """
    for name, piece in pieces.items():
        _write_csv(piece, folder / f"{name}.csv")
    index = {
        name: {
            "title": piece.title,
            "composer": piece.composer,
            "rows": len(piece.grid),
            "details": piece.details is not None,
            "metadata": asdict(piece.metadata),
        }
        for name, piece in pieces.items()
    }
    (folder / INDEX).write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load(folder: Path) -> dict[str, Piece]:
    """Read back what `save` wrote, in its order."""
    index = read_json(folder / INDEX, STAGE)
    pieces = {}
    for name, entry in index.items():
        with reading(folder / INDEX, STAGE):
            if not NAME.fullmatch(name):
                raise ValueError(f"a piece is called {name!r:.40}")
            # As JSON, of which pydantic takes an object for a dataclass.
            checked = Entry.model_validate_json(json.dumps(entry))
            metadata.check(checked.metadata)
        with reading(folder / f"{name}.csv", STAGE):
            pieces[name] = _loaded(folder / f"{name}.csv", checked)
    return pieces


def write(piece: Piece, path: Path, settings: Render) -> None:
    """Write a piece as `path` with the suffixes .csv, .wav, .mid and .musicxml, and .details.csv
    if it has details.
    """
    _write_csv(piece, path.with_suffix(".csv"))
    sound = synth.synthesise(
        piece.grid,
        settings.tempo,
        settings.rate,
        settings.amplitude,
        settings.timbre,
        piece.struck,
    )
    synth.write_wav(sound, settings.rate, path.with_suffix(".wav"))
    score.write(piece.score(settings.tempo), path)


def check_written(piece: Piece, path: Path, settings: Render) -> None:
    """Raise KantorError unless what `write` wrote of a piece is there and whole."""
    suffixes = (".csv", ".wav", ".mid", ".musicxml")
    csv, wav, mid, musicxml = (path.with_suffix(suffix) for suffix in suffixes)
    with reading(csv, "render"):
        if csv.read_text("utf-8") != chorale.to_csv(piece.grid):
            raise KantorError(f"{csv}: other notes than those composed")
    with reading(wav, "render"):
        samples = synth.samples(wav)
        rows = len(piece.grid)
        expected = synth.length(rows, settings.tempo, settings.rate, settings.timbre)
        if samples != expected:
            raise KantorError(f"{wav}: {samples} samples; expected {expected} for {rows} rows")
    with reading(mid, "render"):
        score.check_midi(mid.read_bytes())
    with reading(musicxml, "render"):
        ElementTree.parse(musicxml)


def _write_csv(piece: Piece, path: Path) -> None:
    path.write_text(chorale.to_csv(piece.grid))
    if piece.details is not None:
        details.file_beside(path).write_text(details.to_csv(piece.details))


def _loaded(path: Path, entry: Entry) -> Piece:
    """The piece of a grid's file, with its entry in the index."""
    grid = chorale.from_csv(path.read_text("utf-8"), str(path))
    if len(grid) != entry.rows:
        raise KantorError(f"{path}: {len(grid)} rows; expected {entry.rows}, as in {INDEX}")
    own = None
    if entry.details:
        beside = details.file_beside(path)
        with reading(beside, STAGE):
            own = details.from_csv(beside.read_text("utf-8"), str(beside))
        if len(own.bar) != entry.rows:
            raise KantorError(f"{beside}: {len(own.bar)} rows; expected {entry.rows}")
    return Piece(grid, entry.title, entry.composer, entry.metadata, own)
