import numpy as np
import pytest

from helpers.repeated import on_beats
from helpers.settings import changed
from kantor.data.records import Record
from kantor.network import strikes as network
from kantor.training import strikes


@pytest.fixture
def quick(settings):
    """Settings for few cells."""
    return changed(settings.strikes, units=8, epochs=12, batch_size=64, learning_rate=0.02)


def trained(pieces, quick, settings, **crops):
    return strikes.train(pieces, quick, changed(settings.train.crops, **crops), 1)


@pytest.mark.slow
def test_what_is_struck_on_every_beat_is_learnt(quick, settings):
    striking = trained(on_beats(12), quick, settings)
    numbers, struck = network.cells(on_beats(14)[12:])
    drawn = network.predictor(striking)(numbers)
    assert 0.1 < struck.mean() < 0.4
    assert drawn[struck[:, 0] == 1].min() > 0.9 and drawn[struck[:, 0] == 0].max() < 0.1


@pytest.mark.slow
def test_no_more_is_told_of_plans_than_crops_say(quick, settings):
    striking = trained(on_beats(12), quick, settings, without_plan=1.0)
    # Without the bar the beats are hardly seen, and vectors of what never came stay by chance.
    vectors = striking.get_layer("numbers").get_weights()[0]
    fresh = network.build(quick.units).get_layer("numbers").get_weights()[0]
    places = slice(5 + 34 + 1, 5 + 34 + 34)
    assert np.abs(vectors[places]).max() <= np.abs(fresh).max() + 0.01
    assert np.abs(vectors[:5]).max() > np.abs(fresh).max() + 0.01


def test_without_a_cell_that_is_known_nothing_is_ever_struck_again(quick, settings):
    pieces = [Record(piece.tokens, piece.chorale, 0, piece.plan) for piece in on_beats(2)]
    striking = trained(pieces, quick, settings)
    numbers, _ = network.cells(on_beats(2))
    assert network.predictor(striking)(numbers).max() < 1e-6


def test_unknown_cells_do_not_count():
    (piece,) = on_beats(1)
    some = piece.struck.copy()
    some[::2] = -1
    half = network.cells([Record(piece.tokens, 0, 0, piece.plan, some)])[1]
    assert len(half) == (network.stays(piece.tokens) & (some != -1)).sum() > 0
    assert set(half[:, 0].tolist()) <= {0.0, 1.0}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(quick, settings):
    one, other = (trained(on_beats(3), quick, settings).get_weights() for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
