"""Models that don't predict notes, and files that are no models."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kantor.chorale import VOCABULARY_SIZE
from kantor.network.strikes import FEATURES
from kantor.system.runtime import keras

layers = keras.layers


def model(
    outputs: int = VOCABULARY_SIZE, dtype: str = "int32", notes: int | None = None
) -> keras.Model:
    """A small model of notes with so many outputs."""
    arpeggio = layers.Input((notes,), dtype=dtype)
    x = layers.Embedding(VOCABULARY_SIZE, 4)(arpeggio)
    return keras.Model(arpeggio, layers.Dense(outputs, activation="softmax", name="last")(x))


def with_weights(network: keras.Model, change: Callable[[np.ndarray], np.ndarray]) -> keras.Model:
    """The same model, the bias of its last layer changed."""
    kernel, bias = network.get_layer("last").get_weights()
    network.get_layer("last").set_weights([kernel, change(bias)])
    return network


def silent() -> keras.Model:
    """A model that expects silence, and nothing else."""
    return with_weights(model(), lambda bias: bias + 1000 * (np.arange(len(bias)) == 0))


def two_inputs() -> keras.Model:
    one, other = layers.Input((None,), dtype="int32"), layers.Input((None,), dtype="int32")
    x = layers.Embedding(VOCABULARY_SIZE, VOCABULARY_SIZE)(layers.Add()([one, other]))
    return keras.Model([one, other], x)


def two_outputs() -> keras.Model:
    network = model()
    return keras.Model(network.inputs, [network.outputs[0], network.outputs[0]])


def dense() -> keras.Model:
    return keras.Sequential([layers.Input((16,)), layers.Dense(VOCABULARY_SIZE)])


def of_pictures() -> keras.Model:
    return keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])


def of_texts() -> keras.Model:
    arpeggio = layers.Input((None,), dtype="string")
    return keras.Model(arpeggio, layers.Identity()(arpeggio))


def with_lambda() -> keras.Model:
    network = model()
    return keras.Model(network.inputs, layers.Lambda(lambda x: x)(network.outputs[0]))


def striking(width: int = len(FEATURES)) -> keras.Model:
    """A model of strikes that knows so many features."""
    return keras.Sequential([layers.Input((width,), dtype="int32"), layers.Dense(1, name="last")])


def file(folder: Path, network: keras.Model, name: str = "bad.keras") -> Path:
    """The file of a model."""
    path = folder / name
    network.save(path)
    return path


def changed(path: Path, **members: bytes | None) -> None:
    """Change or, with None, remove members of a model's file, by their names before the dot."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name in list(contents):
        if (stem := name.split(".")[0]) in members:
            contents[name] = members[stem]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)
    path.write_bytes(buffer.getvalue())
