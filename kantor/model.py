"""Architectures: settings to a Keras model.

Every model takes an arpeggio of tokens, int (batch, notes), any number of notes, and gives
softmax probabilities, float32 (batch, notes, 47): place i foretells note i + 1 from the
notes up to i, and from no later one. It is made of stock Keras layers alone, so that its
file loads where nothing of this project is at hand.

Inside are one or more cores of one architecture, its *members*, trained one after the other;
the model's probabilities are the mean of theirs (Hansen and Salamon, "Neural Network
Ensembles", IEEE PAMI 12, 1990).
"""

from kantor import row_gru, wavenet_lstm
from kantor.errors import KantorError
from kantor.params import Model
from kantor.runtime import keras

layers = keras.layers


def build(settings: Model) -> keras.Model:
    """The model that `settings` describe, with fresh weights from Keras's random state.

    It is compiled with the notebook's loss and optimiser, for whoever loads its file and
    calls `evaluate` or `fit` on it.
    """
    architecture = {"row_gru": row_gru, "wavenet_lstm": wavenet_lstm}[settings.architecture]
    chosen = getattr(settings, settings.architecture)
    cores = [architecture.core(chosen, f"core_{n + 1}") for n in range(settings.members)]

    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    inputs = architecture.inputs(arpeggio)
    given = [core(inputs) for core in cores]
    mean = layers.Average(name="mean")(given) if len(given) > 1 else given[0]
    probabilities = architecture.in_order(arpeggio, mean)
    network = keras.Model(arpeggio, probabilities, name=settings.architecture)
    # Otherwise Keras counts the optimisers of a process, and writes that into the file.
    optimizer = keras.optimizers.Nadam(name="nadam")
    network.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def parts(network: keras.Model) -> tuple[keras.Model | None, list[keras.Model]]:
    """What a network knows of the rows so far without weights, if it has such a part, and its
    cores, which are trained on that. The weights are the network's own.

    A network that was not built here is its own only core. KantorError tells of one that was
    built by an earlier version.
    """
    named = {layer.name: layer for layer in network.layers}
    cores = [layer for name, layer in named.items() if name.startswith("core_")]
    if "recall" in named and not cores:
        raise KantorError(f"{network.name}: made by an earlier version; run `dvc repro train`")
    return named.get("recall"), cores or [network]
