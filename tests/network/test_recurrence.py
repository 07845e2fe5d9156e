import numpy as np
import pytest
from networks import small

from kantor.network import model, recurrence
from kantor.system.runtime import keras, tf

SWIFT = {keras.layers.LSTM: recurrence.SwiftLSTM, keras.layers.GRU: recurrence.SwiftGRU}


@pytest.mark.parametrize("kind", SWIFT)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("batch", "steps", "features", "units"), [(3, 17, 5, 8), (1, 1, 2, 4)])
def test_numbers_and_gradients_are_those_of_keras(kind, compiled, batch, steps, features, units):
    keras.utils.set_random_seed(0)
    stock = kind(units, return_sequences=True)
    swift = SWIFT[kind](units, return_sequences=True)
    inputs = tf.random.normal((batch, steps, features))
    upstream = tf.random.normal((batch, steps, units))
    for layer in (stock, swift):
        layer.build(inputs.shape)
    stock.set_weights([np.random.normal(size=w.shape) for w in stock.get_weights()])
    swift.set_weights(stock.get_weights())

    def values(layer):
        @tf.function(jit_compile=compiled)
        def run(inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs)
                loss = tf.reduce_sum(outputs * upstream)
            return outputs, tape.gradient(loss, [inputs, *layer.trainable_variables])

        return tf.nest.flatten(run(inputs))

    for ours, theirs in zip(values(swift), values(stock), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True])
def test_dropout_drops_what_that_of_keras_drops(compiled):
    stock = keras.layers.Dropout(0.3, seed=5)
    swift = recurrence.SwiftDropout(0.3, seed=5)
    inputs = tf.random.normal((7, 5, 3))

    def values(layer):
        draw = tf.function(lambda: layer(inputs, training=True), jit_compile=compiled)
        return [draw().numpy() for _ in range(3)]

    ours, theirs = values(swift), values(stock)
    np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(ours[0], ours[1]) and 0.4 < (ours[0] != 0).mean() < 0.95
    np.testing.assert_array_equal(swift(inputs), inputs)


def test_a_twin_foretells_the_same_and_leaves_the_model_stock(chosen):
    _, (network,) = model.parts(small(chosen, "wavenet_lstm", lstm=[16, 8], dropout=0.2))
    twin = recurrence.swift(network)
    tokens = np.random.default_rng(0).integers(0, 47, (2, 30))
    np.testing.assert_allclose(
        twin.predict(tokens, verbose=0), network.predict(tokens, verbose=0), atol=1e-6
    )
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(keras.layers.LSTM) == 2 and recurrence.SwiftLSTM not in kinds
    kinds = [type(layer) for layer in twin.layers]
    assert kinds.count(recurrence.SwiftLSTM) == 2 and keras.layers.Dropout not in kinds


@pytest.mark.parametrize(
    "layer",
    [
        recurrence.SwiftLSTM(4),
        recurrence.SwiftGRU(4),
        recurrence.SwiftGRU(4, return_sequences=True, reset_after=False),
    ],
)
def test_what_it_can_not_do_it_refuses(layer):
    with pytest.raises(NotImplementedError):
        layer(tf.zeros((1, 2, 3)))
