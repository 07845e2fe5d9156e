"""preprocess: chorales to TFRecords, as training windows and as whole pieces."""

import json
from pathlib import Path

import numpy as np

from kantor import chorale, errors, files, params, records

INPUT = Path("data/chorales")
OUTPUT = Path("data/records")


def main() -> None:
    settings = params.load().preprocess
    grids = {split: chorale.read_split(INPUT, split) for split in chorale.SPLITS}
    pieces = {
        split: [records.Record(chorale.encode(grid), index, 0) for index, grid in of_split.items()]
        for split, of_split in grids.items()
    }
    if settings.train_on_test:
        pieces["train"] += pieces.pop("test")

    with files.whole(OUTPUT) as folder:
        folder.mkdir()
        summary = {}
        for split, of_split in pieces.items():
            cut = [
                window
                for piece in of_split
                for window in records.windows(piece, settings.window, settings.shift)
            ]
            if not cut:
                raise errors.KantorError(
                    f"params.yaml: preprocess.window is {settings.window}: no chorale of the "
                    f"{split} split has so many rows and one more; choose a shorter window"
                )
            records.write(folder / f"{split}_pieces.tfrecord", of_split)
            records.write(folder / f"{split}_windows.tfrecord", cut)
            summary[split] = describe(of_split) | {"windows": len(cut)}
        dataset = {
            "held_out_test": "test" in pieces,
            "vocabulary": chorale.VOCABULARY,
            "window_rows": settings.window,
            "window_notes": (settings.window + 1) * len(chorale.VOICES),
            "splits": summary,
        }
        (folder / "dataset.json").write_text(json.dumps(dataset, indent=2) + "\n")


def describe(pieces: list[records.Record]) -> dict:
    """Count what a split holds; ranges are MIDI pitches by voice."""
    grid = np.concatenate([chorale.decode(piece.tokens) for piece in pieces])
    sounding = {
        voice: column[column != chorale.SILENCE]
        for voice, column in zip(chorale.VOICES, grid.T, strict=True)
    }
    return {
        "chorales": len(pieces),
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
