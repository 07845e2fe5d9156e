"""Errors planted one at a time in good music are all listed, and nothing else is.

Bach's chorales have errors of their own, so the lists before and after are compared. A change of
notes may bring other errors than the planted one, and take some away. Only such plants count in
which the same rules, applied note by note in plain Python (helpers.counterpoint), tell of no
difference but the planted error, anywhere in the piece. Then the rule is simple: the list has to
grow by the planted error, of its kind, at its row, in its voices. If that is missing, it's a
miss; whatever else is new is a false alarm of its own kind; whatever is gone is a miss of its own
kind.
"""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from helpers import chorales
from helpers.made_up import made_up
from helpers.planting import plant
from kantor import chorale
from kantor.judging import counterpoint

ENOUGH = 0.98


def bachs():
    return [piece for split in chorale.SPLITS for piece in chorales.of_split(split)]


@cache
def made_up_ones():
    draw = np.random.Generator(np.random.Philox(1))
    return [made_up(draw) for _ in range(60)]


def listed(grid):
    return {error[:3] for error in counterpoint.errors(grid)}


def plants(kind, pieces, number):
    """`number` pieces before and after, and the planted error. Not every piece has a place for
    every error.
    """
    draw = np.random.Generator(np.random.Philox(counterpoint.KINDS.index(kind)))
    for piece in pieces:
        if number and (planted := plant(kind, piece, draw)):
            number -= 1
            yield piece, planted
    assert not number, f"{number} places too few for {kind}"


@pytest.mark.parametrize("kind", counterpoint.KINDS)
@pytest.mark.parametrize(
    ("source", "rounds", "number"),
    [
        (made_up_ones, 10, 30),
        pytest.param(made_up_ones, 10, 60, marks=pytest.mark.slow),
        # In as many different chorales.
        pytest.param(bachs, 1, 200, marks=pytest.mark.slow),
    ],
)
def test_planted_errors_are_listed_and_nothing_else_is(source, rounds, number, kind):
    hits, misses, alarms = Counter(), Counter(), Counter()
    for piece, (grid, error) in plants(kind, source() * rounds, number):
        before, after = listed(piece), listed(grid)
        (hits if error in after - before else misses)[kind] += 1
        alarms.update(name for name, *_ in after - before - {error})
        misses.update(name for name, *_ in before - after)
    assert hits[kind] >= ENOUGH * (hits[kind] + misses[kind])
    # Plants of this kind may raise false alarms of any kind.
    assert hits[kind] >= ENOUGH * (hits[kind] + alarms.total())
    assert misses.total() - misses[kind] <= (1 - ENOUGH) * number


def test_made_up_pieces_have_no_errors_to_begin_with():
    for piece in made_up_ones():
        assert counterpoint.errors(piece) == []
