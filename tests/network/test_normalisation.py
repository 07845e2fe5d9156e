import numpy as np
import pytest

from kantor.network import normalisation
from kantor.system.runtime import keras, tf


def results(kind, inputs, upstream, compiled):
    """Output in training, gradients, output afterwards, and the moving statistics."""
    features = inputs.shape[-1]
    layer = kind()
    layer.build(inputs.shape)
    scales, shifts = np.linspace(0.5, 2, features), np.linspace(-1, 1, features)
    layer.set_weights([scales, shifts, np.zeros(features), np.ones(features)])

    @tf.function(jit_compile=compiled)
    def trained(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = layer(x, training=True)
            loss = tf.reduce_mean(output * upstream)
        return [output, *tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])]

    x = tf.constant(inputs)
    return [*trained(x), layer(x), *layer.get_weights()]


@pytest.mark.parametrize("compiled", [False, True])
def test_it_normalises_as_keras_does(compiled):
    random = np.random.default_rng(1)
    inputs, upstream = random.normal(size=(2, 8, 20, 6)).astype(np.float32)
    kinds = keras.layers.BatchNormalization, normalisation.ExactBatchNormalization
    theirs, ours = (results(kind, inputs, upstream, compiled) for kind in kinds)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_a_model_and_those_in_it_become_exact():
    layers = keras.layers
    x = layers.Input((None, 4))
    inner = keras.Sequential([layers.Input((None, 4)), layers.BatchNormalization()])
    model = keras.Model(x, layers.Dense(2)(inner(x)))
    model.set_weights([weight + 0.5 for weight in model.get_weights()])
    exact = normalisation.exact(model)
    kinds = {type(layer) for layer in exact._flatten_layers()}
    assert normalisation.ExactBatchNormalization in kinds
    assert layers.BatchNormalization not in kinds
    inputs = np.ones((1, 3, 4), np.float32)
    np.testing.assert_allclose(exact(inputs), model(inputs), rtol=1e-6)


def test_a_model_without_normalisation_stays_itself():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    assert normalisation.exact(model) is model
