"""train: fit the model that params.yaml describes to the training split, and the network that
says which notes are struck again.
"""

import json
import shutil
from pathlib import Path

import kantor
from kantor import params
from kantor.data import records
from kantor.network import model, model_file
from kantor.system import atomic, environment, errors, runtime
from kantor.training import examples, loop, needs, strikes
from kantor.training import history as report
from kantor.training.checkpoint import Checkpoint, fingerprint

INPUT = Path("data/records")
MODEL = Path("models/chorale.keras")
STRIKES = Path("models/strikes.keras")
REPORT = Path("reports/training.csv")
CHECKPOINTS = Path("models/checkpoints")


def main() -> None:
    settings = params.load()
    needs.check(settings)
    with atomic.alone(MODEL.parent):
        train(settings)


def train(settings: params.Params) -> None:
    """Train both networks; what was trained before the process was killed is not trained again."""
    runtime.pin(settings.threads, settings.train.replicas)
    runtime.keras.utils.set_random_seed(settings.seed)

    network = model.build(settings.model)
    parts = model.parts(network)
    # All of it is read before hours may be spent.
    pieces = records.read_split(INPUT, "train", "pieces")
    windows = records.read_split(INPUT, "train", "windows")
    train_on = (
        examples.Windows(windows, parts)
        if settings.train.examples == "windows"
        else examples.Crops(pieces, parts, settings.train.crops, settings.train.batch_size)
    )
    valid = examples.Windows(records.read_split(INPUT, "valid", "windows"), parts)
    this = identity(settings)
    history = []
    for number, member in enumerate(parts.members, start=1):
        what = f"train {number} of {len(parts.members)}" if parts.members[1:] else "train"
        checkpoint = Checkpoint(CHECKPOINTS / f"{number}.npz", this)
        rows = loop.train(
            member, train_on, valid, settings.train, (settings.seed, number), checkpoint, what
        )
        history += [{"member": number} | row for row in rows]

    model.finish(network, settings.model)
    striking = strikes.train(pieces, settings.strikes, settings.train.crops, settings.seed)
    model_file.save(network, MODEL)
    model_file.save(striking, STRIKES)
    report.write(REPORT, history)
    shutil.rmtree(CHECKPOINTS)


def identity(settings: params.Params) -> str:
    """Which training this is: a checkpoint of another one is not used."""
    settings_read = settings.model_dump_json(include={"seed", "threads", "model", "train"})
    code = [Path(__file__), *Path(kantor.__file__).parent.rglob("*.py")]
    machine = json.dumps(environment.environment())
    data = [*INPUT.glob("train_*.tfrecord"), INPUT / "valid_windows.tfrecord"]
    return fingerprint([*code, *data], settings_read + machine)


if __name__ == "__main__":
    errors.run(main)
