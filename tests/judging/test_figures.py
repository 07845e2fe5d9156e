import numpy as np
import pandas as pd
import pytest

from helpers.music import random_grid
from kantor.judging import counterpoint, figures
from kantor.judging.figures import DISTANCE, Set
from kantor.judging.grade import FEATURES, Reference

TRAINING = [random_grid(96, seed) for seed in range(4)]


def measured(pieces, whole=None):
    whole = [True] * len(pieces) if whole is None else whole
    return figures.measure(pieces, whole, Reference.fit(TRAINING), TRAINING)


def test_a_set_is_the_ratio_of_sums_and_a_piece_its_own_ratio():
    one, other = random_grid(64, 11), random_grid(128, 12)
    both = measured([one, other])
    numbers = [counterpoint.counts(piece)["triads"] for piece in (one, other)]
    assert both.figures()["triads"] == sum(n for n, _ in numbers) / sum(d for _, d in numbers)
    assert both.each()["triads"].tolist() == [n / d for n, d in numbers]
    assert both.figures()["crossing"] == pytest.approx(
        counterpoint.rates(counterpoint.total(map(counterpoint.counts, (one, other))))["crossing"]
    )


def test_the_grade_is_the_sum_of_its_parts_and_a_copy_is_one():
    own = measured([TRAINING[0], random_grid(96, 20)]).each()
    parts = own[[DISTANCE + name for name in FEATURES]]
    assert np.allclose(parts.sum(axis=1), own["grade"])
    assert own["copied"].tolist() == [1, 0]
    assert own["longest_copy"][0] == 96


def test_the_end_of_a_cut_piece_is_not_judged():
    pieces = [random_grid(64, 1), random_grid(64, 2)]
    ends = measured(pieces, [True, False]).each()["proper_ends"]
    assert ends.notna().tolist() == [True, False]
    assert "proper_ends" not in measured(pieces, [False, False]).intervals(10, 1).index


def test_an_interval_holds_the_figure_narrows_with_more_pieces_and_repeats():
    def interval(count):
        draw = np.random.default_rng(1)
        one = pd.DataFrame({"figure": draw.random(count)})
        return Set(one, pd.DataFrame({"figure": np.ones(count)})).intervals(500, 3).loc["figure"]

    few, many = interval(20), interval(2000)
    for row in (few, many):
        assert row["low"] < row["value"] < row["high"]
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 5
    # Of 2,000 uniform draws the mean has a standard error of 0.0065.
    assert many["high"] - many["low"] == pytest.approx(2 * 1.96 * 0.00645, rel=0.15)
    assert interval(20).equals(few)
