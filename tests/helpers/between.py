"""What lies between the stages of a made-up project, small and whole, and ways to damage it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import committed, running
from helpers.clone import CONVOLUTIONS
from helpers.details import in_bars
from helpers.music import random_grid
from kantor import chorale, details, metadata, params
from kantor.commands import reproduce
from kantor.metadata import Metadata
from kantor.network import model, model_file, strikes
from kantor.notation import piece
from kantor.notation.piece import Piece

ROWS = 40
COMMITTED = (
    "reports/metrics.json",
    "reports/music.json",
    "reports/evaluation/training.csv",
    *(f"reports/music/{name}.csv" for name in ("figures", "given_away", "temperature")),
)
NAMES = ("prompt", "original", "melody", "tune", "cold", "medium", "hot", "greedy", "train_000")

Damage = Callable[[Path], object]


def build(folder: Path) -> Path:
    """Make such a project in a folder."""
    (folder / "params.yaml").write_text(committed.settings())
    reproduce.shrink(folder / "params.yaml")
    reproduce.change(folder / "params.yaml", CONVOLUTIONS)
    settings = params.load(folder / "params.yaml")
    listed = []
    for split in chorale.SPLITS:
        for number in range(3):
            path = folder / "data/chorales" / chorale.file_name(split, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(chorale.to_csv(random_grid(ROWS, number)))
            details.file_beside(path).write_text(details.to_csv(in_bars(ROWS)))
            listed.append(Metadata(split, number, ROWS, f"{number}", key="A", mode="minor"))
    metadata.write(listed, folder / "data/chorales/corpus.csv")
    assert running.stage("preprocess", folder) == ""
    model_file.save(model.build(settings.model), folder / "models/chorale.keras")
    model_file.save(strikes.build(settings.strikes.units), folder / "models/strikes.keras")

    for path in COMMITTED:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(committed.content(path))
    shutil.copy(folder / "reports/evaluation/training.csv", folder / "reports/training.csv")
    pieces = {
        name: Piece(random_grid(12, place), name, details=in_bars(12))
        for place, name in enumerate(NAMES)
    }
    for name in ("compositions", "samples", "probabilities"):
        (folder / "reports" / name).mkdir()
    piece.save(pieces, folder / "reports/compositions")
    for name, one in pieces.items():
        piece.write(one, folder / "reports/samples" / name, settings.render)
        likely = pd.DataFrame(0.5, index=range(12), columns=list(chorale.VOICES))
        likely.iloc[0, 0] = np.nan
        likely.to_csv(folder / f"reports/probabilities/{name}.csv", index_label="row")
    return folder


def gone(path: Path) -> None:
    """Remove it."""
    path.unlink()


def empty(path: Path) -> None:
    """Cut all of it."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """Cut its second half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def without_last_line(path: Path) -> None:
    """Cut it at the end of a line."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def flipped(path: Path) -> None:
    """Flip all bits of a byte in its middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def noise(path: Path) -> None:
    """Other bytes, which are no text."""
    path.write_bytes(bytes(range(128, 256)) * 8)


def replaced(text: str, instead: str) -> Damage:
    """Replace a text that is there, the first time."""

    def damage(path: Path) -> None:
        before = path.read_text("utf-8")
        assert text in before
        path.write_text(before.replace(text, instead, 1), "utf-8")

    return damage


def changed(*keys: str, value: object) -> Damage:
    """Change a value in a JSON file, or add one."""

    def damage(path: Path) -> None:
        content = inner = json.loads(path.read_text())
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
        path.write_text(json.dumps(content))

    return damage


def without(*keys: str) -> Damage:
    """Remove a key from a JSON file."""

    def damage(path: Path) -> None:
        content = inner = json.loads(path.read_text())
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        path.write_text(json.dumps(content))

    return damage


def copied(name: str) -> Damage:
    """Put another file of the same folder there."""
    return lambda path: shutil.copy(path.with_name(name), path)


def at_a_record(path: Path) -> None:
    """Cut a TFRecord after its first record: length, its sum, as many bytes, their sum."""
    content = path.read_bytes()
    path.write_bytes(content[: int.from_bytes(content[:8], "little") + 16])
