import numpy as np

from helpers.music import random_grid
from kantor import chorale, plan
from kantor.data.records import Record
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


def test_rows_are_composed_after_the_plans_of_pieces_whose_key_is_told(monkeypatch, settings):
    grids, plans = [random_grid(80, seed) for seed in (1, 2)], []
    for tonic in (plan.UNKNOWN, 2):
        plans.append(plan.unknown(80))
        plans[-1][:, plan.TONIC] = tonic
        plans[-1][:, plan.LEFT] = np.arange(80, 0, -1)
    pieces = [
        Record(chorale.encode(grid), number, 0, own)
        for number, (grid, own) in enumerate(zip(grids, plans, strict=True))
    ]
    asked = []

    def still(model, requests):
        asked.extend(requests)
        return [np.vstack([request.prompt, request.prompt[-1:]]) for request in requests]

    monkeypatch.setattr(one_step.composing, "compose", still)
    judge = settings.judge.model_copy(update={"places": 20, "rows": 64})
    result = one_step.compare(None, pieces, judge)
    assert len(asked) == result["bach_rows"] == 20 and result["parallels_rows"] == 0
    for request in asked:
        rows = request.prompt_rows
        assert np.array_equal(request.prompt, grids[1][:rows])
        assert np.array_equal(request.plan, plans[1][: rows + 1])
    assert one_step.compare(None, pieces[:1], judge)["bach_rows"] == 0
