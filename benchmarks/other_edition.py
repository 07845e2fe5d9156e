"""How the default model, trained on the scores of music21, does on the archive's test split.

    dvc repro && python -m benchmarks.other_edition jsb_chorales.tgz

The argument is a copy of the published archive, an address or a path.
"""

import sys
from pathlib import Path

from kantor import chorale, params
from kantor.data import archive, records
from kantor.evaluation import likelihood
from kantor.network import model_file
from kantor.system import errors, runtime


def main() -> None:
    if len(sys.argv) < 2:
        raise errors.KantorError("name a copy of the archive, an address or a path")
    settings = params.load()
    runtime.pin(settings.threads)
    published = archive.load(settings.download.archive.model_copy(update={"urls": sys.argv[1:]}))
    pieces = [
        records.Record(chorale.encode(grid), index, 0)
        for (split, index), grid in sorted(published.items())
        if split == "test"
    ]
    windows = [
        window
        for piece in pieces
        for window in records.windows(piece, settings.preprocess.window, settings.preprocess.shift)
    ]
    predict = likelihood.model_predictor(model_file.load(Path("models/chorale.keras")))
    for name, parts in {"pieces": pieces, "windows": windows}.items():
        figures = likelihood.figures(likelihood.predictions(parts, predict))
        print(
            f"{name:8} {figures['loss']:.4f} nats a note, accuracy {figures['accuracy']:.4f}, "
            f"onsets {figures['onset_accuracy']:.4f}, {figures['notes']} notes"
        )


if __name__ == "__main__":
    errors.run(main)
