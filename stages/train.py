"""train: fit the model that params.yaml describes to the training split."""

import json
import shutil
from pathlib import Path

import pandas as pd

from kantor import (
    environment,
    errors,
    examples,
    files,
    model,
    model_file,
    params,
    records,
    runtime,
    training,
)
from kantor.checkpoint import Checkpoint, fingerprint

INPUT = Path("data/records")
MODEL = Path("models/chorale.keras")
REPORT = Path("reports/training.csv")
CHECKPOINTS = Path("models/checkpoints")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads, settings.train.replicas)
    runtime.keras.utils.set_random_seed(settings.seed)

    network = model.build(settings.model)
    recall, cores = model.parts(network)
    train_on = chosen(settings.train, recall)
    valid = examples.Windows(read("valid_windows"), recall)
    this = identity(settings)
    history = []
    for member, core in enumerate(cores, start=1):
        what = f"train {member} of {len(cores)}" if len(cores) > 1 else "train"
        checkpoint = Checkpoint(CHECKPOINTS / f"{member}.npz", this)
        rows = training.train(
            core, train_on, valid, settings.train, (settings.seed, member), checkpoint, what
        )
        history += [{"member": member} | row for row in rows]

    model_file.save(network, MODEL)
    with files.whole(REPORT) as fresh:
        pd.DataFrame(history).to_csv(fresh, index=False, float_format="%.6g")
    environment.write()
    shutil.rmtree(CHECKPOINTS)


def chosen(
    settings: params.Train, recall: runtime.keras.Model | None
) -> examples.Windows | examples.Crops:
    """What the network is trained on."""
    if settings.examples == "windows":
        return examples.Windows(read("train_windows"), recall)
    return examples.Crops(read("train_pieces"), recall, settings.crops, settings.batch_size)


def read(name: str) -> list[records.Record]:
    """The records of this name."""
    return list(records.read(INPUT / f"{name}.tfrecord"))


def identity(settings: params.Params) -> str:
    """Which training this is: a checkpoint of another one is none."""
    read_keys = settings.model_dump_json(include={"seed", "threads", "model", "train"})
    code = [Path(__file__), *Path(training.__file__).parent.glob("*.py")]
    machine = json.dumps(environment.environment())
    data = [*INPUT.glob("train_*.tfrecord"), INPUT / "valid_windows.tfrecord"]
    return fingerprint([*code, *data], read_keys + machine)


if __name__ == "__main__":
    errors.run(main)
