import numpy as np
import pytest

from helpers.networks import EACH_KIND, probabilities, shared, unlike
from helpers.stepping import stepped
from kantor import plan
from kantor.network import model
from kantor.sampling.predictor import predictor
from kantor.system.runtime import keras, tf

ROWS = 16


def pieces(seed=0):
    """Two pieces of tokens (2, rows, 4) with held notes and phrases that come again."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(0, 47, (2, ROWS // 4, 4)).repeat(2, axis=1)
    return np.concatenate([rows, rows], axis=1).astype(np.int32)


@pytest.mark.parametrize("kind", EACH_KIND)
def test_it_predicts_what_the_model_does_for_the_whole(kind):
    rows = pieces()
    whole = probabilities(shared(kind), rows.reshape(2, -1))
    predicted = stepped(shared(kind), rows, keyless=True)
    np.testing.assert_allclose(predicted[:, 1:], whole[:, :-1], atol=1e-5)
    np.testing.assert_allclose(predicted[:, 0].sum(axis=-1), 1, atol=1e-5)


def test_a_piece_is_in_its_key_beside_one_whose_key_is_unknown():
    network, rows = shared("rows"), pieces()
    asked = np.stack([plan.regular(2, 1, 12, 4, [ROWS]), plan.unknown(ROWS)])
    beside = stepped(network, rows, asked, keyless=True)
    np.testing.assert_allclose(beside[0], stepped(network, rows, asked)[0], atol=1e-5)
    assert not np.allclose(beside[1], stepped(network, rows, asked)[1], atol=1e-2)


@pytest.mark.slow
def test_told_a_plan_it_predicts_what_the_planned_model_does():
    network, rows = shared("two of rows"), pieces()
    asked = np.stack([plan.regular(2, 1, 12, 4, [5, ROWS]), plan.regular(7, 0, 16, 0, [ROWS])])
    whole = probabilities(model.planned(model.parts(network)), [rows, asked])
    predicted = stepped(network, rows, asked)
    np.testing.assert_allclose(predicted, whole.reshape(2, -1, 47), atol=1e-5)
    assert not np.allclose(predicted, stepped(network, rows), atol=1e-2)


@pytest.mark.parametrize("kind", ["rows", pytest.param("two of rows", marks=pytest.mark.slow)])
def test_guidance_raises_what_the_plan_makes_likelier(kind):
    network, rows = shared(kind), pieces()
    asked = np.stack([plan.regular(2, 1, 12, 4, [5, ROWS])] * 2)
    told, untold = stepped(network, rows, asked), stepped(network, rows)
    guided = stepped(network, rows, asked, [0.0, 1.5])
    assert np.array_equal(guided[0], told[0])
    expected = told[1] * (told[1] / untold[1]) ** 1.5
    expected /= expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(guided[1], expected, rtol=1e-3, atol=1e-6)
    assert not np.allclose(guided[1], told[1], atol=1e-2)
    np.testing.assert_allclose(stepped(network, rows, None, [1.5, 1.5]), untold, atol=1e-6)


def test_a_network_that_reads_no_plan_has_no_guidance():
    network, rows = shared("all at once"), pieces()
    asked = np.stack([plan.regular(2, 1, 12, 4, [5, ROWS])] * 2)
    guided = stepped(network, rows, asked, [1.5, 1.5])
    assert np.array_equal(guided, stepped(network, rows))


def test_what_notes_weigh_is_not_guided():
    by_rows, asked = predictor(shared("rows")), plan.regular(2, 1, 12, 4, [5, ROWS])

    def any_note(voice, probabilities, notes):
        return tf.fill((1,), 20 + voice)

    def logs(guidance):
        state = by_rows.start(1, ROWS, [guidance])
        return by_rows.row(state, tf.constant(0), tf.constant(asked[:1]), any_note)[1]

    assert np.array_equal(logs(0.0), logs(2.0))


def test_so_does_a_network_that_was_not_built_here():
    layers = keras.layers
    network = keras.Sequential([layers.Input((None,)), layers.Embedding(47, 5)])
    network.add(layers.Conv1D(8, 2, padding="causal", activation="relu", dilation_rate=4))
    network.add(layers.GRU(8, return_sequences=True))
    network.add(layers.Dense(47, activation="softmax"))
    rows = pieces()
    unlike(network)
    whole = probabilities(network, rows.reshape(2, -1))
    np.testing.assert_allclose(stepped(network, rows)[:, 1:], whole[:, :-1], atol=1e-5)


def test_a_piece_begins_as_if_after_a_silence_for_a_network_of_notes():
    network = shared("all at once")
    predicted = stepped(network, pieces()[:, :2])
    silence = probabilities(network, np.zeros((1, 1), np.int32))[0, 0]
    np.testing.assert_allclose(predicted[:, 0], np.stack([silence] * 2), atol=1e-6)
