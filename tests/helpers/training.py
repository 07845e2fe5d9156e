"""Short trainings of small networks."""

from pathlib import Path

import numpy as np

from helpers.networks import small
from helpers.settings import changed
from kantor import params
from kantor.data.records import Record
from kantor.network import model
from kantor.system.runtime import keras
from kantor.training import loop
from kantor.training.checkpoint import Checkpoint
from kantor.training.examples import Crops, Windows
from kantor.training.schedule import History

CONSTANT = {"kind": "constant", "warmup_epochs": 0, "factor": 0.5, "epochs": 1}


def pieces(count: int, seed: int, rows: int = 8) -> list[Record]:
    """Pieces whose notes go up and down by steps."""
    draw = np.random.default_rng(seed)
    walks = draw.integers(-1, 2, (count, rows, 4)).cumsum(axis=1) + 20
    return [Record(tokens.clip(1, 46), number, 0) for number, tokens in enumerate(walks)]


def train(
    network: keras.Model,
    settings: params.Params,
    path: Path,
    fingerprint: str = "this",
    rate: float | None = None,
    **options: object,
) -> History:
    """Train a network of one member, for three epochs unless options say otherwise; at a learning
    rate that may be beyond what params.yaml takes.
    """
    parts = model.parts(network)
    crops = settings.train.crops.model_dump() | {"rows": 8, "passes": 2}
    short = {"examples": "windows", "crops": crops, "epochs": 3, "batch_size": 8}
    options = changed(settings.train, **(short | {"schedule": CONSTANT} | options))
    if rate:
        options = options.model_copy(update={"learning_rate": rate})
    if options.examples == "windows":
        examples = Windows(pieces(16, 0), parts)
    else:
        examples = Crops(pieces(8, 0), parts, options.crops, options.batch_size)
    (member,) = parts.members
    valid = Windows(pieces(8, 1), parts)
    return loop.train(member, examples, valid, options, (7,), Checkpoint(path, fingerprint))


def run(
    settings: params.Params,
    path: Path,
    fingerprint: str = "this",
    architecture: str = "wavenet_lstm",
    lstm: tuple[int, ...] = (),
    dropout: float = 0.2,
    **options: object,
) -> tuple[list[np.ndarray], History]:
    """Build and train a small network; its weights and its history."""
    sizes = {"lstm": list(lstm)} if architecture == "wavenet_lstm" else {}
    network = small(settings, architecture, seed=5, dropout=dropout, **sizes)
    history = train(network, settings, path, fingerprint, **options)
    return network.get_weights(), history
