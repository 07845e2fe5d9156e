"""How long it takes to predict as well as the notebook's recipe does at its end.

    dvc repro preprocess && python -m benchmarks.time_to_loss

Trains the notebook's way to the end, in plain Keras in a process of its own, and scores it on
the pieces of the test split. Then trains the default setting pass by pass until it scores
as well there. Counted are all the seconds of both trainings, compiling and our lookback
too; not counted is the scoring, which is for this comparison alone.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import study
from benchmarks import ours
from benchmarks.beside import notebook
from kantor import params
from kantor.data import records
from kantor.evaluation import likelihood
from kantor.network import model, model_file
from kantor.system import errors, runtime
from kantor.system.progress import Progress

RECORDS = Path("data/records")


def main() -> None:
    epochs = params.load(changes=study.variants()["notebook"]).train.epochs
    settings = params.load()
    runtime.pin(settings.threads)
    windows = list(records.read(RECORDS / "train_windows.tfrecord"))
    test = list(records.read(RECORDS / "test_pieces.tfrecord"))

    with (
        notebook(np.stack([window.tokens.ravel() for window in windows])) as theirs,
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
    parts = model.parts(network)
    crops = ours.one_pass(parts, settings.train)
    copy, epoch = ours.epochs(parts.members[0], crops, settings.train, settings.train.crops.passes)
    taken, passes, reached = time.perf_counter() - started, 0, np.inf
    while reached > aim:
        taken += epoch(passes)
        passes += 1
        parts.members[0].set_weights(copy.get_weights())
        reached = score(network, test)
        print(f"ours: {reached:.4f} after {taken:.0f} s, {passes} passes", flush=True)
    print(f"time to the notebook's loss: 1/{seconds / taken:.1f} of its own")


def score(network: runtime.keras.Model, test: list[records.Record]) -> float:
    """Nats a note on pieces."""
    predicted = likelihood.predictions(test, likelihood.model_predictor(network))
    return likelihood.figures(predicted)["loss"]


if __name__ == "__main__":
    errors.run(main)
