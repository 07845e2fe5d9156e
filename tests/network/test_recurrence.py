import numpy as np
import pytest

from helpers.networks import probabilities, small
from kantor.network import model, recurrence
from kantor.system.runtime import keras, tf

FASTER = {keras.layers.LSTM: recurrence.FastLSTM, keras.layers.GRU: recurrence.FastGRU}


@pytest.mark.parametrize("kind", FASTER)
@pytest.mark.parametrize(
    ("batch", "steps", "features", "units", "compiled"),
    [(3, 17, 5, 8, True), (3, 17, 5, 8, False), (1, 1, 2, 4, False)],
)
def test_numbers_and_gradients_are_those_of_keras(kind, batch, steps, features, units, compiled):
    keras.utils.set_random_seed(0)
    stock = kind(units, return_sequences=True)
    fast = FASTER[kind](units, return_sequences=True)
    inputs = tf.random.normal((batch, steps, features))
    upstream = tf.random.normal((batch, steps, units))
    for layer in (stock, fast):
        layer.build(inputs.shape)
    stock.set_weights([np.random.normal(size=w.shape) for w in stock.get_weights()])
    fast.set_weights(stock.get_weights())

    def values(layer):
        def run(inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs)
                loss = tf.reduce_sum(outputs * upstream)
            return outputs, tape.gradient(loss, [inputs, *layer.trainable_variables])

        if compiled:
            run = tf.function(run, jit_compile=True)
        return tf.nest.flatten(run(inputs))

    for ours, theirs in zip(values(fast), values(stock), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_its_share_and_the_mean_and_nothing_repeats():
    layer, inputs = recurrence.FastDropout(0.3, seed=5), tf.ones((200, 50, 40))

    def run():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
        return outputs, tape.gradient(outputs, inputs)

    compiled = tf.function(run, jit_compile=True)
    draws = []
    for _ in range(3):
        outputs, gradient = (values.numpy() for values in compiled())
        np.testing.assert_array_equal(outputs, gradient)
        np.testing.assert_allclose(np.unique(outputs), [0, 1 / 0.7], rtol=1e-6)
        draws.append((outputs > 0).astype(float))
        # No unit, row or piece is dropped much more often than others.
        for axes in ((0, 1), (0, 2), (1, 2)):
            np.testing.assert_allclose(draws[-1].mean(axes), 0.7, atol=0.07)
        assert abs(draws[-1].mean() - 0.7) < 0.003
    flat = [draw.ravel() for draw in draws]
    pairs = [(flat[0], other) for other in flat[1:]]
    pairs += [(flat[0][:-lag], flat[0][lag:]) for lag in (1, 2, 40, 2000)]
    pairs += [(flat[0][:-1], flat[1][1:])]
    for one, other in pairs:
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.01

    fresh = recurrence.FastDropout(0.3, seed=5)
    np.testing.assert_array_equal(fresh(inputs, training=True) > 0, draws[0])
    np.testing.assert_array_equal(fresh(inputs), inputs)


def test_a_fast_copy_predicts_the_same_and_leaves_the_model_stock(settings):
    (network,) = model.parts(small(settings, "wavenet_lstm", lstm=[16, 8], dropout=0.2)).members
    copy = recurrence.fast(network)
    tokens = np.random.default_rng(0).integers(0, 47, (2, 30))
    np.testing.assert_allclose(
        probabilities(copy, tokens), probabilities(network, tokens), atol=1e-6
    )
    kinds = [type(layer) for layer in network.layers]
    assert kinds.count(keras.layers.LSTM) == 2 and recurrence.FastLSTM not in kinds
    kinds = [type(layer) for layer in copy.layers]
    assert kinds.count(recurrence.FastLSTM) == 2 and keras.layers.Dropout not in kinds


@pytest.mark.parametrize(
    "layer",
    [
        recurrence.FastLSTM(4),
        recurrence.FastGRU(4),
        recurrence.FastGRU(4, return_sequences=True, reset_after=False),
    ],
)
def test_what_it_can_not_do_it_refuses(layer):
    with pytest.raises(NotImplementedError):
        layer(tf.zeros((1, 2, 3)))
