from itertools import permutations

import numpy as np
import pytest

from kantor import chorale
from kantor.chorale import VOCABULARY_SIZE
from kantor.judging import counterpoint
from kantor.network import voice_leading
from kantor.network.architecture import RULE
from kantor.system.runtime import keras

SOPRANO, BASS = 0, 3
CHORDS = [(0, 4, 7), (7, 3, 0), (8, 3, 0)]  # major, minor, the sixth of a major one
# Which of a pair's four numbers a kind of error is.
NUMBERS = {(0, 0): 0, (0, 1): 1, (7, 0): 2, (7, 1): 3}
PARALLEL = {"parallel fifths": (7, 0), "parallel octaves": (0, 0)}
CONTRARY = {"fifths by contrary motion": (7, 1), "octaves by contrary motion": (0, 1)}


@pytest.fixture(scope="module")
def leading():
    """What the voices above add to the bass's logits, with weights that tell all apart."""
    rows = keras.layers.Input((None, 4), dtype="int32")
    before = keras.layers.Input((None, 4), dtype="int32")
    position = keras.layers.Input((None, 1), dtype="int32")
    closing = keras.layers.Input((None,), dtype="int32")
    parts = voice_leading.leading(rows, before, position, closing)(BASS)
    network = keras.Model([rows, before, position, closing], parts)
    draw = np.random.default_rng(0)
    network.set_weights([draw.normal(size=w.shape) for w in network.get_weights()])
    return network


def inputs(rows, before, position=0, closing=0):
    like = rows[:, :, :1]
    return [rows, before, np.full_like(like, position), np.full_like(like[:, :, 0], closing)]


def moves(count=40):
    """Pairs of rows of tokens (count, 2, 4) where voices often move in fifths and octaves."""
    draw = np.random.default_rng(1)
    bass = draw.integers(8, 20, (count, 2))
    above = bass[:, :, None] + draw.choice([0, 7, 12, 15, 19, 24], (count, 2, 3))
    tokens = np.concatenate([above, bass[:, :, None]], axis=2)
    tokens[draw.random(tokens.shape) < 0.05] = 0
    return tokens.astype(np.int32)


@pytest.mark.slow
def test_what_is_forbidden_is_what_the_judge_counts(leading):
    pairs = moves()
    layer = leading.get_layer(f"bass_under_soprano_parallels{RULE}")
    for kind, which in (PARALLEL | CONTRARY).items():
        layer.set_weights([np.eye(4)[[NUMBERS[which]]].T])
        added = leading(inputs(pairs[:, 1:], pairs[:, :1]))[1].numpy()[:, 0]
        for pair, scores in zip(pairs, added, strict=True):
            for token in range(VOCABULARY_SIZE):
                tokens = np.zeros((2, 4), int)
                tokens[:, SOPRANO], tokens[0, BASS], tokens[1, BASS] = pair[:, 0], pair[0, 3], token
                errors = counterpoint.errors(chorale.decode(tokens))
                expected = any(error.kind == kind for error in errors)
                assert scores[token] == expected, (kind, tokens)


def test_it_is_the_same_in_every_key(leading):
    pairs = moves()
    pairs = pairs[(pairs > 0).all((1, 2))]
    here, there = (inputs(pairs[:, 1:] + up, pairs[:, :1] + up) for up in (0, 3))
    for low, high in zip(leading(here), leading(there), strict=True):
        np.testing.assert_array_equal(low.numpy()[:, :, 1:-3], high.numpy()[:, :, 4:])


def test_a_silent_voice_says_nothing(leading):
    rows = np.array([[[0, 0, 0, 9]]], np.int32)
    *pairs, _chord = leading(inputs(rows, rows + 1))
    for added in pairs:
        assert not added.numpy().any()


def test_a_chord_is_told_by_its_intervals_the_moment_and_whether_the_bass_moves(leading):
    above = np.array([[[28, 24, 19, 0]]], np.int32)
    before = np.array([[[28, 24, 19, 12]]], np.int32)
    octaves = np.array([[[40, 24, 7, 0]]], np.int32)

    def added(rows, position, closing=0):
        return leading(inputs(rows, before, position, closing))[-1].numpy()[0, 0]

    on_beat = added(above, 4)
    assert np.array_equal(added(octaves, 4), on_beat)
    assert on_beat[24] == on_beat[36] != on_beat[12], "the bass stays on 12"
    for other in (added(above, 6), added(above, 4, closing=1)):
        assert (on_beat[1:] != other[1:]).all()
    assert on_beat[0] == 0


def test_the_bass_hears_which_chord_it_makes():
    major, minor, first = (voice_leading.QUALITIES[i * 169 + j * 13 + k] for i, j, k in CHORDS)
    assert len({major, minor, first}) == 3
    same = [voice_leading.QUALITIES[i * 169 + j * 13 + k] for i, j, k in permutations(CHORDS[0])]
    assert set(same) == {major}


@pytest.mark.slow
def test_parallels_are_made_less_likely_and_nothing_else(leading):
    pairs = moves()
    there = inputs(pairs[:, 1:], pairs[:, :1])
    before = [added.numpy() for added in leading(there)]
    weights = leading.get_weights()
    voice_leading.forbid(leading, 2.5)
    after = [added.numpy() for added in leading(there)]
    leading.set_weights(weights)

    for number, higher in enumerate(("soprano", "alto", "tenor")):
        layer = leading.get_layer(f"bass_under_{higher}{voice_leading.PARALLELS}")
        kept = layer.get_weights()
        layer.set_weights([voice_leading.SAME_DIRECTION])
        parallel = leading(there)[2 * number + 1].numpy()
        layer.set_weights(kept)
        difference = before[2 * number + 1] - after[2 * number + 1]
        np.testing.assert_allclose(difference, 2.5 * parallel, atol=1e-6)
        np.testing.assert_array_equal(before[2 * number], after[2 * number])
    np.testing.assert_array_equal(before[-1], after[-1])
    forbidden = np.flatnonzero(voice_leading.SAME_DIRECTION).tolist()
    assert forbidden == sorted(NUMBERS[which] for which in PARALLEL.values())
