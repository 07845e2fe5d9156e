"""What a model must be like to be asked for notes (kantor.network.model); a file may hold any."""

import numpy as np

from kantor.chorale import VOCABULARY_SIZE
from kantor.network.strikes import FEATURES
from kantor.system.errors import KantorError
from kantor.system.runtime import keras

ARPEGGIO = "one of whole numbers (batch, notes), any number of notes"
PROBABILITIES = f"one of (batch, notes, {VOCABULARY_SIZE}), a probability for each note"
AGAIN = "name another model, or run `dvc repro train`"


def check_predicting(network: keras.Model, name: str) -> None:
    """Raise KantorError unless a model turns an arpeggio into probabilities of its next notes, as
    far as shapes and weights tell; `name` is for the error.
    """
    _check_shapes(network.inputs, name, "inputs", [(None, None)], ARPEGGIO)
    _check_numbers(network, name)
    shapes = [(None, None, VOCABULARY_SIZE)]
    _check_shapes(network.outputs, name, "outputs", shapes, PROBABILITIES)
    _check_weights(network, name)


def check_striking(network: keras.Model, name: str) -> None:
    """Raise KantorError unless a model says how likely notes are struck again."""
    width = len(FEATURES)
    expected = f"one of whole numbers (cells, {width})"
    _check_shapes(network.inputs, name, "inputs", [(None, width)], expected)
    _check_numbers(network, name)
    _check_shapes(network.outputs, name, "outputs", [(None, 1)], "one of (cells, 1)")
    _check_weights(network, name)


def _check_shapes(
    tensors: list, name: str, what: str, expected: list[tuple[int | None, ...]], words: str
) -> None:
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if shapes != expected:
        listed = ", ".join(map(str, shapes[:4])) + (", ..." if shapes[4:] else "")
        raise KantorError(f"{name}: its {what} have shapes {listed}; expected {words}; {AGAIN}")


def _check_numbers(network: keras.Model, name: str) -> None:
    kind = keras.backend.standardize_dtype(network.inputs[0].dtype)
    if not kind.startswith(("int", "uint", "float")):
        raise KantorError(f"{name}: its input is of kind {kind}; expected whole numbers; {AGAIN}")


def _check_weights(network: keras.Model, name: str) -> None:
    for weight in network.weights:
        if "float" in weight.dtype and not np.isfinite(weight.numpy()).all():
            raise KantorError(
                f"{name}: weights of {weight.path} are no numbers, and neither are its "
                "probabilities; train it again with a lower train.learning_rate"
            )
