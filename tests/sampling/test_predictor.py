import numpy as np
import pytest
from networks import SIZES, small, unlike
from test_model import NETWORKS, build, named

from kantor.sampling import predictor, stepping
from kantor.system.errors import KantorError
from kantor.system.runtime import keras, tf

ROWS = 40


def pieces(seed=0):
    """Two pieces of tokens (2, rows, 4) with held notes and stretches that come again."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(0, 47, (2, ROWS // 4, 4)).repeat(2, axis=1)
    return np.concatenate([rows, rows], axis=1).astype(np.int32)


def stepped(network, rows):
    """What the network predicts for every note of rows (pieces, rows, 4), given those before."""
    predict = predictor.of(network)
    state = predict.start(len(rows), ROWS + 2)
    given = []
    for row in range(rows.shape[1]):

        def choose(voice, probabilities, row=row):
            given.append(probabilities.numpy())
            return tf.constant(rows[:, row, int(voice)])

        chosen, state = predict.row(state, tf.constant(row), choose)
        assert np.array_equal(chosen, rows[:, row])
    return np.stack(given, axis=1)


@pytest.mark.parametrize(
    ("architecture", "options"), [*NETWORKS, *((name, {"members": 2}) for name in SIZES)], ids=named
)
def test_it_foretells_what_the_model_does_for_the_whole(chosen, architecture, options):
    network = build(chosen, architecture, **options)
    rows = pieces()
    whole = network.predict(rows.reshape(2, -1), verbose=0)
    given = stepped(network, rows)
    np.testing.assert_allclose(given[:, 1:], whole[:, :-1], atol=1e-5)
    np.testing.assert_allclose(given[:, 0].sum(axis=-1), 1, atol=1e-5)


def test_so_does_a_network_that_was_not_built_here():
    layers = keras.layers
    network = keras.Sequential([layers.Input((None,)), layers.Embedding(47, 5)])
    network.add(layers.Conv1D(8, 2, padding="causal", activation="relu", dilation_rate=4))
    network.add(layers.GRU(8, return_sequences=True))
    network.add(layers.Dense(47, activation="softmax"))
    rows = pieces()
    unlike(network)
    whole = network.predict(rows.reshape(2, -1), verbose=0)
    np.testing.assert_allclose(stepped(network, rows)[:, 1:], whole[:, :-1], atol=1e-5)


def test_a_piece_begins_as_if_after_a_silence_for_a_network_of_notes(chosen):
    network = unlike(small(chosen, "wavenet_lstm"))
    given = stepped(network, pieces())
    silence = network.predict(np.zeros((1, 1), np.int32), verbose=0)[0, 0]
    np.testing.assert_allclose(given[:, 0], np.stack([silence] * 2), atol=1e-6)


def refused():
    layers = keras.layers
    for name, layer in {
        "both ways": layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        "backwards": layers.GRU(3, return_sequences=True, go_backwards=True),
        "a window": layers.Conv1D(3, 3, padding="same"),
        "zeros behind": layers.ZeroPadding1D((1, 1)),
        "strides": layers.MaxPooling1D(2),
        "another shape": layers.Reshape((-1, 2)),
        "a sum": lambda x: keras.ops.cumsum(x, axis=1),
    }.items():
        yield pytest.param(layer, id=name)


@pytest.mark.parametrize("layer", list(refused()))
def test_layers_of_which_no_step_is_known_are_refused(layer):
    arpeggio = keras.layers.Input((None,), dtype="int32")
    network = keras.Model(arpeggio, layer(keras.layers.Embedding(47, 4)(arpeggio)))
    with pytest.raises(KantorError, match="goes on by one place"):
        stepping.start(network, 1)
