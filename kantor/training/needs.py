"""The memory and the time that a training needs, estimated before it begins.

The estimate is close to what was measured. What clearly doesn't fit is refused, and a close case is
tried.
"""

from kantor.chorale import VOICES
from kantor.network import registry
from kantor.network.architecture import Architecture
from kantor.params import Params
from kantor.system import duration, memory

LOADED = 2.0 * memory.GIGABYTE  # TensorFlow, and what it compiles: by benchmarks.memory
ROWS = 60_000  # of the training split, rounded up
BYTES_A_ROW = 300  # of an epoch's examples: tokens, hints and plan, and a copy of them
BYTES_A_NUMBER = 4
# Of the parameters, in training: weights, gradients, what the optimiser remembers (two of each),
# and what a checkpoint has.
COPIES = 8
# Of what layers give for a batch: forwards, and what is kept of it to go backwards.
PASSES = 2
# Floating-point operations: in a second, on two cores of an older machine, by benchmarks.rows; and
# for a parameter in a step of the network, forwards and backwards.
SPEED, OPERATIONS = 50e9, 6


def check(settings: Params) -> None:
    """Raise KantorError if this machine lacks the memory for the training that settings ask for, or
    if it takes too long.
    """
    memory.check(
        needed(settings),
        "params.yaml: to train this network",
        "set a smaller network, fewer members, smaller batches, shorter crops or fewer passes",
    )
    duration.check(
        seconds(settings),
        "params.yaml: to train this network",
        "set a smaller network, fewer members, fewer epochs or fewer passes",
    )


def needed(settings: Params) -> float:
    """Bytes of memory; of a network that doesn't tell its size, those for the examples alone."""
    architecture, block = registry.configured(settings.model)
    train = settings.train
    bytes_ = LOADED + _rows_of_epoch(settings) * BYTES_A_ROW
    if architecture.size:
        size = architecture.size(block)
        bytes_ += BYTES_A_NUMBER * size.parameters * (settings.model.members + COPIES)
        if train.replicas == 1:  # or else batches are in the memory of cards
            rows = train.crops.rows if train.examples == "crops" else settings.preprocess.window
            steps = rows * _steps_of_row(architecture)
            bytes_ += BYTES_A_NUMBER * PASSES * train.batch_size * steps * size.outputs
    return bytes_


def seconds(settings: Params) -> float:
    """How long training takes, roughly; 0 of a network that doesn't tell its size."""
    architecture, block = registry.configured(settings.model)
    if not architecture.size:
        return 0.0
    steps = _rows_of_epoch(settings) * _steps_of_row(architecture) * settings.train.epochs
    operations = OPERATIONS * architecture.size(block).parameters * steps
    return operations * settings.model.members / SPEED


def _rows_of_epoch(settings: Params) -> float:
    if settings.train.examples == "crops":
        return ROWS * settings.train.crops.passes
    return ROWS * max(1, settings.preprocess.window / settings.preprocess.shift)


def _steps_of_row(architecture: Architecture) -> int:
    return 1 if architecture.steps == "rows" else len(VOICES)
