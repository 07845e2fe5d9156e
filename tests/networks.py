"""Small networks for tests."""

import numpy as np

from conftest import changed
from kantor import params
from kantor.network import model
from kantor.system.runtime import keras

SIZES = {
    "row_gru": {"embedding": 4, "units": [8, 8], "head": 8},
    "wavenet_lstm": {"filters": [8], "lstm": [12]},
}


def small(
    chosen: params.Params, architecture: str, *, members: int = 1, seed: int = 4, **options: object
) -> keras.Model:
    """A small network of this architecture, of which some options may be set."""
    # Keras counts the operations of a process for their names.
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    block = changed(getattr(chosen.model, architecture), **(SIZES[architecture] | options))
    settings = {"architecture": architecture, architecture: block.model_dump()}
    return model.build(changed(chosen.model, members=members, **settings))


def unlike(network: keras.Model) -> keras.Model:
    """The network with weights that tell all notes apart, and normalise.

    Fresh embeddings are nearly the same for all notes, and fresh normalisation does nothing.
    """
    draw = np.random.default_rng(0)
    for core in model.parts(network)[1]:
        for layer in core.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.set_weights([draw.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
            if isinstance(layer, keras.layers.Embedding):
                layer.set_weights([draw.normal(size=w.shape) for w in layer.get_weights()])
    return network
