import numpy as np
import pytest

from helpers.music import unpacked
from kantor import chorale
from kantor.data.records import Record
from kantor.evaluation import baselines, likelihood


def uniform(pieces):
    return [np.full((*piece.shape, 47), 1 / 47, np.float32) for piece in pieces]


def test_the_bigram_counts_pairs_within_each_voice():
    grid = np.array([[60, 55, 50, 45], [62, 55, 50, 45], [60, 55, 50, 45]])
    piece = Record(chorale.encode(grid), 0, 0)
    (predicted,) = baselines.bigram([piece], smoothing=1.0)([piece.tokens])
    assert predicted.shape == (3, 4, 47)
    np.testing.assert_allclose(predicted.sum(axis=2), 1)
    c4, d4 = chorale.encode(np.array([60, 62]))
    alto = piece.tokens[0, 1]
    assert predicted[1, 0, d4] == pytest.approx(2 / 48), "once, and once smoothed, from C to D"
    assert predicted[2, 0, c4] == pytest.approx(2 / 48)
    assert predicted[1, 0, c4] == pytest.approx(1 / 48)
    assert predicted[0, 1, alto] == pytest.approx(2 / 48), "alto, from its start"
    assert predicted[1, 1, alto] == pytest.approx(3 / 49), "alto, twice held"


def test_copying_is_right_where_a_note_is_held():
    grid = np.array([[60, 55, 50, 45], [60, 55, 50, 43], [62, 55, 50, 43]])
    notes = likelihood.predictions([Record(chorale.encode(grid), 0, 0)], uniform)
    assert baselines.copy_accuracy(notes) == pytest.approx(6 / 11)


def test_copying_gets_the_references_77_percent(published):
    pieces = unpacked(published).items()
    test = [Record(chorale.encode(grid), n, 0) for (split, n), grid in pieces if split == "test"]
    notes = likelihood.predictions(test, uniform)
    later = notes[notes["before"] != likelihood.NOT_THERE]
    assert baselines.copy_accuracy(later) == pytest.approx(0.770, abs=0.0005)
    assert baselines.copy_accuracy(notes) == pytest.approx(0.768, abs=0.0005)
