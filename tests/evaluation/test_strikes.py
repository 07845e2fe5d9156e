import math

import pytest

from helpers.repeated import on_beats
from kantor.data.records import Record
from kantor.evaluation import strikes
from kantor.network import strikes as network


def test_the_baseline_knows_where_in_the_beat_notes_are_struck_again():
    pieces, train = on_beats(3), on_beats(9)
    figures = strikes.figures(network.build(4), pieces, strikes.rates(train))
    assert figures["baseline"]["accuracy"] == 1.0
    assert 0 < figures["baseline"]["loss"] < 0.05
    assert figures["notes"] == sum(int(network.stays(piece.tokens).sum()) for piece in pieces)


def test_scores_are_those_of_the_network():
    striking = network.build(4)
    kernel, bias = striking.get_layer("struck").get_weights()
    striking.get_layer("struck").set_weights([0 * kernel, bias + math.log(0.2 / 0.8)])
    figures = strikes.figures(striking, on_beats(3), strikes.rates(on_beats(3)))
    share = float(network.cells(on_beats(3))[1].mean())
    assert figures["accuracy"] == pytest.approx(1 - share)
    assert figures["loss"] == pytest.approx(
        -share * math.log(0.2) - (1 - share) * math.log(0.8), abs=1e-5
    )


def test_the_baseline_has_a_rate_for_where_the_place_is_unknown():
    train = [Record(one.tokens, one.chorale, 0, None, one.struck) for one in on_beats(3)]
    share = float(network.cells(train)[1].mean())
    loss = strikes.figures(network.build(4), train, strikes.rates(train))["baseline"]["loss"]
    assert loss == pytest.approx(
        -share * math.log(share) - (1 - share) * math.log(1 - share), abs=1e-3
    )


def test_nothing_is_said_where_no_cell_is_known():
    unknown = [Record(one.tokens, one.chorale, 0, one.plan) for one in on_beats(2)]
    assert strikes.figures(network.build(4), unknown, strikes.rates(on_beats(2))) == {}
