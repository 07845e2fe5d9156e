"""preprocess: chorales to TFRecords, as training windows and as whole pieces."""

import json
from pathlib import Path

import numpy as np

from kantor import chorale, details, metadata, params
from kantor.data import plans, records
from kantor.system import atomic, errors

INPUT = Path("data/chorales")
OUTPUT = Path("data/records")


def main() -> None:
    settings = params.load().preprocess
    pieces = {split: chorales(split) for split in chorale.SPLITS}
    if settings.train_on_test:
        pieces["train"] += pieces.pop("test")

    with atomic.output(OUTPUT) as folder:
        folder.mkdir()
        summary = {}
        for split, in_split in pieces.items():
            windows = [
                window
                for piece in in_split
                for window in records.windows(piece, settings.window, settings.shift)
            ]
            if not windows:
                raise errors.KantorError(
                    f"params.yaml: preprocess.window is {settings.window}: no chorale of the "
                    f"{split} split has {settings.window + 1} rows; choose a shorter window"
                )
            records.write(folder / f"{split}_pieces.tfrecord", in_split)
            records.write(folder / f"{split}_windows.tfrecord", windows)
            summary[split] = describe(in_split) | {"windows": len(windows)}
        dataset = {
            "held_out_test": "test" in pieces,
            "vocabulary": chorale.VOCABULARY_SIZE,
            "window_rows": settings.window,
            "window_notes": (settings.window + 1) * len(chorale.VOICES),
            "splits": summary,
        }
        (folder / "dataset.json").write_text(json.dumps(dataset, indent=2) + "\n")


def chorales(split: str) -> list[records.Record]:
    """The chorales of a split, as records."""
    corpus = metadata.read(INPUT / "corpus.csv")
    pieces = []
    for index, grid in chorale.read_split(INPUT, split).items():
        extras = details.beside(INPUT / chorale.file_name(split, index), len(grid))
        plan = plans.plan(grid, extras, corpus[split, index])
        struck = extras.struck.astype(np.int32)
        pieces.append(records.Record(chorale.encode(grid), index, 0, plan, struck))
    return pieces


def describe(pieces: list[records.Record]) -> dict:
    """Count what a split holds; ranges are MIDI pitches by voice."""
    grid = chorale.decode(np.concatenate([piece.tokens for piece in pieces]))
    sounding = {
        voice: column[column != chorale.SILENCE]
        for voice, column in zip(chorale.VOICES, grid.T, strict=True)
    }
    return {
        "chorales": len(pieces),
        "chorales_with_details": sum(
            bool((piece.struck != details.UNKNOWN).any()) for piece in pieces
        ),
        "rows": len(grid),
        "notes": grid.size,
        "silent_notes": int((grid == chorale.SILENCE).sum()),
        "ranges": {
            voice: [int(pitches.min()), int(pitches.max())] if len(pitches) else []
            for voice, pitches in sounding.items()
        },
    }


if __name__ == "__main__":
    errors.run(main)
