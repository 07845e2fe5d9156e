"""How long it takes to foretell as well as the notebook's recipe does at its end.

    dvc repro preprocess && python -m benchmarks.time_to_loss

Trains the notebook's way to the end, in plain Keras in a process of its own, and scores it on
the pieces of the test split. Then trains the default setting pass by pass until it scores
as well there. Counted are all the seconds of both trainings, compiling and ours of recalling
too; not counted is the scoring, which is for this comparison alone.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import study
from benchmarks import ours
from benchmarks.beside import notebook
from kantor import errors, model, model_file, params, records, runtime, scoring
from kantor.progress import Progress

RECORDS = Path("data/records")


def main() -> None:
    epochs = params.load(changes=study.variants()["notebook"]).train.epochs
    settings = params.load()
    runtime.pin(settings.threads)
    windows = list(records.read(RECORDS / "train_windows.tfrecord"))
    test = list(records.read(RECORDS / "test_pieces.tfrecord"))

    with (
        notebook(np.stack([window.tokens for window in windows])) as theirs,
        tempfile.TemporaryDirectory() as folder,
    ):
        seconds = 0.0
        with Progress("the notebook's", epochs, "epochs") as progress:
            for _ in range(epochs):
                seconds += theirs.epoch()
                progress.advance()
        theirs.save(Path(folder) / "notebook.keras")
        aim = score(model_file.load(Path(folder) / "notebook.keras"), test)
    print(f"notebook: {aim:.4f} nats a note after {seconds:.0f} s, {epochs} epochs", flush=True)

    started = time.perf_counter()
    runtime.keras.utils.set_random_seed(settings.seed)
    network = model.build(settings.model)
    recall, (core,) = model.parts(network)
    crops = ours.one_pass(recall, settings.train)
    twin, epoch = ours.epochs(core, crops, settings.train, settings.train.crops.passes)
    taken, passes, reached = time.perf_counter() - started, 0, np.inf
    while reached > aim:
        taken += epoch(passes)
        passes += 1
        core.set_weights(twin.get_weights())
        reached = score(network, test)
        print(f"ours: {reached:.4f} after {taken:.0f} s, {passes} passes", flush=True)
    print(f"time to the notebook's loss: 1/{seconds / taken:.1f} of its own")


def score(network: runtime.keras.Model, test: list[records.Record]) -> float:
    """Nats a note on pieces."""
    foretold = scoring.foretold(test, scoring.of_model(network, "score"))
    return scoring.figures(foretold)["loss"]


if __name__ == "__main__":
    errors.run(main)
