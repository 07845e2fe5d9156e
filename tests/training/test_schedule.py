import math

import pytest

from helpers.settings import changed
from kantor.training import schedule


def rows(*losses):
    return [{"valid_loss": loss} for loss in losses]


def test_patience_ends_a_training(settings):
    settings = changed(settings.train, epochs=10, patience=2, patience_from=0)
    assert not schedule.finished([], settings)
    assert not schedule.finished(rows(3, 2, 2.5), settings)
    assert schedule.finished(rows(3, 2, 2.5, 2.4), settings)
    assert not schedule.finished(rows(3, 2, 2.5, 1.9), settings)
    later = changed(settings, patience_from=3)
    assert not schedule.finished(rows(3, 2, 2.5, 2.4), later)
    assert schedule.finished(rows(3, 2, 2.5, 2.4, 2.6), later)
    assert not schedule.finished(rows(3, 2, 2.5, 2.4, 1.9, 2.6), later)
    assert not schedule.finished(rows(*range(9)), changed(settings, patience=0))
    assert schedule.finished(rows(*range(10)), changed(settings, patience=0))


def test_plateaus_are_counted_one_by_one():
    assert schedule.plateaus(rows(3, 2, 1), 2) == 0
    assert schedule.plateaus(rows(3, 4, 3), 2) == 1
    assert schedule.plateaus(rows(3, 4, 3, 5, 6, 1, 1), 2) == 2


@pytest.mark.parametrize(
    ("kind", "warmup", "at", "share"),
    [
        ("constant", 0, 7.0, 1.0),
        ("constant", 2, 0.5, 0.25),
        ("constant", 2, 2.0, 1.0),
        ("exponential", 0, 5.0, 0.5),
        ("exponential", 0, 2.5, math.sqrt(0.5)),
        ("cosine", 0, 10.0, 0.5),
        ("cosine", 1, 20.0, 0.0),
        ("plateau", 0, 6.0, 0.5),
    ],
)
def test_the_learning_rate_follows_its_schedule(settings, kind, warmup, at, share):
    block = {"kind": kind, "warmup_epochs": warmup, "factor": 0.5, "epochs": 5}
    settings = changed(settings.train, learning_rate=0.01, epochs=20, schedule=block)
    history = rows(1, 2, 2, 2, 2, 2)
    assert schedule.learning_rate(settings, at, history) == pytest.approx(0.01 * share)


def test_the_best_epoch_is_the_first_of_the_lowest_loss():
    assert schedule.best(rows(3, 1, 2, 1)) == 1
