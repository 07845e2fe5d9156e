"""Small networks."""

from functools import cache

import numpy as np
import pytest
import yaml

from helpers import committed
from helpers.settings import changed
from kantor import params
from kantor.network import model
from kantor.system.runtime import keras

SIZES = {
    "row_gru": {"embedding": 4, "units": [8, 8], "head": 8},
    "wavenet_lstm": {"filters": [8], "lstm": [12]},
}

# One of each kind, by what is special about it.
KINDS = {
    "dilated, and an LSTM": ("wavenet_lstm", {"filters": [6, 8, 8]}),
    "recurrent only": ("wavenet_lstm", {"filters": []}),
    "convolutional only": ("wavenet_lstm", {"filters": [6, 8], "lstm": []}),
    "two LSTMs": ("wavenet_lstm", {"lstm": [8, 12]}),
    "no normalisation": ("wavenet_lstm", {"batch_norm": False}),
    "all at once": (
        "wavenet_lstm",
        {"filters": [6, 8], "pooling": 3, "dropout": 0.2, "l1": 1e-5, "l2": 1e-4, "kernel": 3},
    ),
    "rows": ("row_gru", {"units": [12], "dropout": 0.0}),
    "rows, with layers that add": ("row_gru", {"units": [8, 8, 12]}),
    "two of notes": ("wavenet_lstm", {"members": 2}),
    "two of rows": ("row_gru", {"members": 2}),
    "two of rows that differ": ("row_gru", {"members": 2, "voice_leading": "alternate"}),
}
QUICK = ("dilated, and an LSTM", "all at once", "rows", "two of notes")
EACH_KIND = [
    kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS
]


def small(
    settings: params.Params,
    architecture: str,
    *,
    members: int = 1,
    seed: int = 4,
    **options: object,
) -> keras.Model:
    """A small network of this architecture, of which some options may be set."""
    # Keras counts the operations of a process for their names.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    sizes = SIZES.get(architecture, {})
    block = settings.model.model_extra[architecture] | sizes | options
    changes = {"architecture": architecture, "members": members, architecture: block}
    return model.build(changed(settings.model, **changes))


def unlike(network: keras.Model) -> keras.Model:
    """The network with weights that tell all notes apart, and normalise.

    Fresh embeddings are nearly the same for all notes, and fresh normalisation does nothing.
    """
    draw = np.random.default_rng(0)
    for member in model.parts(network).members:
        for layer in member.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.set_weights([draw.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
            if isinstance(layer, keras.layers.Embedding):
                layer.set_weights([draw.normal(size=w.shape) for w in layer.get_weights()])
    return network


def probabilities(network: keras.Model, inputs: object) -> np.ndarray:
    """What a network predicts; for a small one this is much quicker than to compile `predict`."""
    return network(inputs, training=False).numpy()


@cache
def shared(kind: str) -> keras.Model:
    """A network of KINDS, for all tests of a process, which leave it as it is."""
    architecture, options = KINDS[kind]
    settings = params.checked(params.Params, yaml.safe_load(committed.settings()), "params.yaml")
    return unlike(small(settings, architecture, **options))
