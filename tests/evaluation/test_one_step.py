import numpy as np

from helpers.music import random_grid
from kantor.evaluation import one_step

OCTAVES = np.array([[67, 64, 60, 48], [69, 64, 62, 50]])  # of tenor and bass
STILL = np.array([[67, 64, 60, 48], [67, 64, 60, 50]])


def test_places_are_where_two_voices_move():
    pieces = [random_grid(100, seed) for seed in range(3)]
    where = one_step.places(pieces, 40, 64, seed=1)
    assert len(where) == 40 and len(np.unique(where, axis=0)) == 40
    assert (where[:, 1] >= one_step.FIRST_ROW).all() and (where[:, 1] < 64).all()
    assert all(one_step.moving(pieces[number][row - 1 : row + 1]) for number, row in where)
    assert np.array_equal(where, one_step.places(pieces, 40, 64, seed=1))


def test_rows_with_parallels_are_counted_among_those_that_move():
    assert not one_step.moving(STILL)
    assert one_step.with_parallels([OCTAVES, STILL, OCTAVES[::-1]]) == (2, 2)
    clean = np.array([[67, 64, 60, 48], [65, 65, 62, 43]])
    assert one_step.with_parallels([clean]) == (0, 1)
