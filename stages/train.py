"""train: fit the model that params.yaml describes to the training windows."""

import json
from pathlib import Path

import pandas as pd

from kantor import environment, errors, files, model, model_file, params, records, runtime, training
from kantor.checkpoint import Checkpoint, fingerprint

INPUT = Path("data/records")
MODEL = Path("models/chorale.keras")
REPORT = Path("reports/training.csv")
CHECKPOINT = Path("models/checkpoint.npz")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    runtime.keras.utils.set_random_seed(settings.seed)
    notes = records.dataset(INPUT)["window_notes"]

    network = model.build(settings.model)
    checkpoint = Checkpoint(CHECKPOINT, identity(settings))
    history = training.train(
        network,
        records.arpeggios(INPUT / "train_windows.tfrecord", notes),
        records.arpeggios(INPUT / "valid_windows.tfrecord", notes),
        settings.train,
        settings.seed,
        checkpoint,
    )

    model_file.save(network, MODEL)
    with files.whole(REPORT) as fresh:
        pd.DataFrame(history).to_csv(fresh, index=False, float_format="%.6g")
    environment.write()
    checkpoint.remove()


def identity(settings: params.Params) -> str:
    """Which training this is: a checkpoint of another one is none."""
    chosen = settings.model_dump_json(include={"seed", "threads", "model", "train"})
    code = [Path(__file__), *Path(training.__file__).parent.glob("*.py")]
    machine = json.dumps(environment.environment())
    return fingerprint([*code, *INPUT.glob("*_windows.tfrecord")], chosen + machine)


if __name__ == "__main__":
    errors.run(main)
