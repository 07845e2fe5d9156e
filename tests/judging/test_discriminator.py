import numpy as np
import pandas as pd
import pytest

from kantor.judging import discriminator


def frame(count, seed, shift=0.0):
    draw = np.random.default_rng(seed)
    return pd.DataFrame({"shifted": draw.normal(shift, 1, count), "same": draw.normal(0, 1, count)})


@pytest.mark.slow
def test_sets_of_one_kind_cant_be_told_apart():
    auc = discriminator.compare(frame(80, 1), frame(80, 2), draws=200, seed=1)
    assert auc.low < 0.5 < auc.high


@pytest.mark.slow
def test_sets_of_two_kinds_are_told_apart_as_well_as_can_be():
    # Of two normal distributions three standard deviations apart the AUC is 0.983.
    auc = discriminator.compare(frame(80, 1), frame(80, 2, shift=3), draws=200, seed=1)
    assert 0.93 < auc.value < 1 and auc.low > 0.9
    assert auc == discriminator.compare(frame(80, 1), frame(80, 2, shift=3), draws=200, seed=1)


@pytest.mark.slow
def test_what_is_missing_is_a_value_too():
    bach, other = frame(40, 1), frame(40, 2)
    other["same"] = np.nan
    assert discriminator.compare(bach, other, draws=10, seed=1).value > 0.95
    assert discriminator.ranked(bach, other)["figure"].tolist() == ["shifted"]


def test_the_figure_that_gives_away_comes_first_whichever_way_it_points():
    for shift in (2, -2):
        table = discriminator.ranked(frame(200, 1), frame(200, 2, shift))
        assert table["figure"].tolist() == ["shifted", "same"]
        assert table["auc"][0] > 0.9 and table["auc"][1] < 0.6


def test_too_few_pieces_have_no_auc():
    assert discriminator.compare(frame(4, 1), frame(80, 2), draws=10, seed=1) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [([1, 2], [3, 4], 1), ([3, 4], [1, 2], 0), ([1, 1], [1, 1], 0.5), ([1, 3], [2], 0.5)],
)
def test_the_area_counts_pairs(low, high, expected):
    assert discriminator.area(np.array(low), np.array(high)) == expected
