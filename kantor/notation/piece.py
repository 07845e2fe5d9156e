"""A piece: its notes and what is known of it; as data, and in the formats that people use."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor import chorale, synth
from kantor.metadata import Metadata
from kantor.notation import score
from kantor.params import Render
from kantor.system.errors import KantorError

BACH = "Johann Sebastian Bach"
INDEX = "pieces.json"


class Piece(NamedTuple):
    """A grid (rows, 4), what its score is headed with, and what is known of its key and metre."""

    grid: np.ndarray
    title: str
    composer: str = "Kantor"
    metadata: Metadata = Metadata()


def save(pieces: Mapping[str, Piece], folder: Path) -> None:
    """Write pieces as data: each grid as NAME.csv, and all else as pieces.json."""
    for name, piece in pieces.items():
        (folder / f"{name}.csv").write_text(chorale.to_csv(piece.grid))
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
        return {
            name: Piece(
                chorale.read(folder / f"{name}.csv"),
                entry["title"],
                entry["composer"],
                Metadata(**entry["metadata"]),
            )
            for name, entry in index.items()
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KantorError(
            f"{folder / INDEX}: {error!r}; expected what the stage compose writes; run "
            "`dvc repro -f compose`"
        ) from None


def write(piece: Piece, path: Path, settings: Render) -> None:
    """Write a piece as `path` with the suffixes .csv, .wav, .mid and .musicxml."""
    path.with_suffix(".csv").write_text(chorale.to_csv(piece.grid))
    sound = synth.synthesise(
        piece.grid, settings.tempo, settings.rate, settings.amplitude, settings.timbre
    )
    synth.write_wav(sound, settings.rate, path.with_suffix(".wav"))
    setting = score.setting_for(piece.grid, piece.metadata)
    built = score.build(piece.grid, setting, piece.title, piece.composer, settings.tempo)
    score.write(built, path)
