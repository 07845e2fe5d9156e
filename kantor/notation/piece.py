"""A piece: its notes and what is known of it; as data, and in the formats that people use."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from music21 import stream

from kantor import chorale, details, synth
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.notation import score
from kantor.params import Render
from kantor.system.errors import KantorError

BACH = "Johann Sebastian Bach"
INDEX = "pieces.json"


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
            "metadata": asdict(piece.metadata),
        }
        for name, piece in pieces.items()
    }
    (folder / INDEX).write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load(folder: Path) -> dict[str, Piece]:
    """Read back what `save` wrote, in its order."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        return {name: _loaded(folder / f"{name}.csv", entry) for name, entry in index.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KantorError(
            f"{folder / INDEX}: {error!r}; expected what the stage compose writes; run "
            "`dvc repro -f compose`"
        ) from None


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


def _write_csv(piece: Piece, path: Path) -> None:
    path.write_text(chorale.to_csv(piece.grid))
    if piece.details is not None:
        details.file_beside(path).write_text(details.to_csv(piece.details))


def _loaded(path: Path, entry: dict[str, Any]) -> Piece:
    """The piece of a grid's file, with its entry in the index."""
    grid = chorale.read(path)
    there = details.file_beside(path).exists()
    return Piece(
        grid,
        entry["title"],
        entry["composer"],
        Metadata(**entry["metadata"]),
        details.beside(path, len(grid)) if there else None,
    )
