import numpy as np
import pytest

from kantor import chorale
from kantor.sampling import drawing
from kantor.system.runtime import tf


def drawn(
    probabilities,
    draws,
    temperature=1.0,
    top_k=None,
    top_p=None,
    rhythm=None,
    before=0,
    forbidden=(),
):
    """What is drawn from probabilities (47,), all others 0, for each draw, after a token."""
    padded = np.zeros((len(draws), chorale.VOCABULARY_SIZE), np.float32)
    padded[:, : len(probabilities)] = probabilities
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "rhythm": rhythm}
    options = {
        name: tf.fill(len(draws), value) for name, value in options.items() if value is not None
    }
    if forbidden:
        options["forbidden"] = tf.constant(np.isin(np.arange(47), forbidden)[None])
    tokens = tf.fill(len(draws), before)
    draws = tf.constant(draws, tf.float32)
    return drawing.choose(tf.constant(padded), draws, tokens, **options).numpy()


def test_temperature_sharpens_and_flattens():
    probabilities = np.array([0.5, 0.3, 0.2])
    draws = (np.arange(10_000) + 0.5) / 10_000
    for temperature, powers in [(0.5, 2.0), (1.0, 1.0), (3.0, 1 / 3)]:
        tokens = drawn(probabilities, draws, temperature)
        expected = probabilities**powers / (probabilities**powers).sum()
        counts = np.bincount(tokens, minlength=3) / 10_000
        np.testing.assert_allclose(counts, expected, atol=2e-4)
    assert set(drawn(probabilities, draws, 0.0)) == {0}


@pytest.mark.parametrize(
    ("top_k", "top_p", "left"),
    [
        (47, 1.0, 5),
        (3, 1.0, 3),
        (1, 1.0, 1),
        (47, 0.69, 3),
        (47, 0.6, 2),
        (47, 0.1, 1),
        (3, 0.7, 2),
    ],
)
def test_only_the_likeliest_are_left(top_k, top_p, left):
    probabilities = np.array([0.1, 0.25, 0.2, 0.4, 0.05])
    draws = (np.arange(10_000) + 0.5) / 10_000
    tokens = drawn(probabilities, draws, 1.0, top_k, top_p)
    kept = np.argsort(-probabilities)[:left]
    expected = np.where(np.isin(np.arange(5), kept), probabilities, 0)
    counts = np.bincount(tokens, minlength=5) / 10_000
    np.testing.assert_allclose(counts, expected / expected.sum(), atol=2e-4)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.4, 0, 0.6]),
        # Whether a voice stays is as it was: only where it moves to is another note.
        ({"rhythm": 1.0, "before": 2}, [0.7, 0, 0.3]),
        ({"top_k": 1, "top_p": 1.0}, [0, 0, 1]),
        ({"forbidden": (0, 1, 2)}, [0.2, 0.5, 0.3]),
    ],
    ids=str,
)
def test_what_is_forbidden_is_not_drawn_unless_nothing_else_can_be(options, expected):
    draws = (np.arange(10_000) + 0.5) / 10_000
    tokens = drawn(np.array([0.2, 0.5, 0.3]), draws, **{"forbidden": (1,)} | options)
    np.testing.assert_allclose(np.bincount(tokens, minlength=3) / 10_000, expected, atol=2e-4)


@pytest.mark.parametrize(
    ("options", "stays", "pitches"),
    [
        ({"rhythm": 1.0}, 0.6, [0.5, 0.375, 0.125]),
        ({"rhythm": 1.0, "temperature": 0.0}, 0.6, [1, 0, 0]),
        ({"rhythm": 1.0, "top_k": 47, "top_p": 0.6}, 0.6, [4 / 7, 3 / 7, 0]),
        ({"rhythm": 0.5}, 0.36 / 0.52, [0.5, 0.375, 0.125]),
        ({"rhythm": 0.0, "temperature": 0.0}, 1.0, [0, 0, 0]),
        ({"rhythm": 1.0, "temperature": 0.5}, 0.6, [16 / 26, 9 / 26, 1 / 26]),
        ({"rhythm": drawing.JOINT, "top_k": 47, "top_p": 0.7}, 0.75, [1, 0, 0]),
    ],
    ids=str,
)
def test_rhythm_and_pitch_are_drawn_apart(options, stays, pitches):
    draws = (np.arange(10_000) + 0.5) / 10_000
    tokens = drawn(np.array([0.2, 0.15, 0.6, 0.05]), draws, before=2, **options)
    moves = (1 - stays) * np.array(pitches, float)
    expected = [moves[0], moves[1], stays, moves[2]]
    np.testing.assert_allclose(np.bincount(tokens, minlength=4) / 10_000, expected, atol=2e-4)


@pytest.mark.parametrize("before", [0, 1])
def test_a_voice_that_can_not_move_stays_and_one_that_can_not_stay_moves(before):
    draws = np.array([0.0, 0.5, np.nextafter(1, 0)])
    sure = np.eye(2)[1]
    assert set(drawn(sure, draws, 1.0, 47, 0.5, rhythm=1.0, before=before)) == {1}


def test_of_the_equally_likely_the_lowest_are_left():
    draws = np.linspace(0, 0.999, 50)
    assert set(drawn(np.full(6, 1 / 6), draws, 1.0, 2, 1.0)) == {0, 1}
    assert set(drawn(np.full(6, 1 / 6), draws, 0.0)) == {0}


def test_what_is_impossible_is_never_drawn():
    draws = np.array([0.0, 0.5, np.nextafter(1, 0)])
    for temperature in (1e-310, 0.01, 1.0, 100.0):
        assert set(drawn(np.array([0.0, 1.0, 0.0]), draws, temperature)) == {1}


@pytest.mark.parametrize("probabilities", [[np.nan, 0.5], [np.inf, 0.5], [0.0, 0.0]])
def test_no_token_is_drawn_from_what_are_no_probabilities(probabilities):
    assert drawn(np.array(probabilities), np.array([0.5])).tolist() == [drawing.NONE]
