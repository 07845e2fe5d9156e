"""The memory that a training needs, estimated before it begins.

The estimate is close to what was measured. What clearly doesn't fit is refused, and a close case is
tried.
"""

from kantor.chorale import VOICES
from kantor.network import registry
from kantor.params import Params
from kantor.system import memory

LOADED = 2.0 * memory.GIGABYTE  # TensorFlow, and what it compiles: by benchmarks.memory
ROWS = 60_000  # of the training split, rounded up
BYTES_A_ROW = 300  # of an epoch's examples: tokens, hints and plan, and a copy of them
BYTES_A_NUMBER = 4
# Of the parameters, in training: weights, gradients, what the optimiser remembers (two of each),
# and what a checkpoint has.
COPIES = 8
# Of what layers give for a batch: forwards, and what is kept of it to go backwards.
PASSES = 2


def check(settings: Params) -> None:
    """Raise KantorError if this machine lacks the memory for the training that settings ask for."""
    memory.check(
        needed(settings),
        "params.yaml: to train this network",
        "set a smaller network, fewer members, smaller batches, shorter crops or fewer passes",
    )


def needed(settings: Params) -> float:
    """Bytes; of a network that doesn't tell its size, those for the examples alone."""
    architecture, block = registry.configured(settings.model)
    train, crops = settings.train, settings.train.crops
    if train.examples == "crops":
        rows, rows_of_epoch = crops.rows, ROWS * crops.passes
    else:
        rows = settings.preprocess.window
        rows_of_epoch = ROWS * max(1, rows / settings.preprocess.shift)
    bytes_ = LOADED + rows_of_epoch * BYTES_A_ROW
    if architecture.size:
        size = architecture.size(block)
        bytes_ += BYTES_A_NUMBER * size.parameters * (settings.model.members + COPIES)
        if train.replicas == 1:  # or else batches are in the memory of cards
            steps = rows * (1 if architecture.steps == "rows" else len(VOICES))
            bytes_ += BYTES_A_NUMBER * PASSES * train.batch_size * steps * size.outputs
    return bytes_
