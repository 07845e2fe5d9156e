import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import repeated
from kantor import details, plan
from kantor.network import model_file, strikes
from kantor.network.strikes import AGAIN, FEATURES, GOES_ON, MOVES, SILENT, STAYS

NAMES = list(FEATURES)
ROWS = 40
SOPRANO, ALTO, TENOR, BASS = range(4)


def cell(features, row, voice):
    """The features of a cell by name."""
    return dict(zip(NAMES, features[row, voice].tolist(), strict=True))


@given(st.integers(0, 99), st.integers(0, ROWS - 1), st.integers(0, 3), st.integers(-1, 1))
def test_a_cell_sees_nothing_of_struck_cells_to_come(seed, row, voice, other):
    grid, asked = repeated.grid(ROWS, seed), plan.unknown(ROWS)
    struck = repeated.struck(grid, seed)
    changed = struck.copy()
    changed.reshape(-1)[4 * row + voice :] = other
    before, after = (strikes.features(grid, asked, cells) for cells in (struck, changed))
    assert before[row, voice].tolist() == after[row, voice].tolist()


def test_a_cell_sees_the_voices_above_and_below_it():
    grid = np.array([[72, 67, 60, 48], [72, 67, 60, 50], [72, 67, 0, 50]])
    struck = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0]])
    features = strikes.features(grid, plan.unknown(3), struck)
    assert [cell(features, 1, TENOR)[name] for name in NAMES[5:9]] == [AGAIN, GOES_ON, STAYS, MOVES]
    assert [cell(features, 1, SOPRANO)[name] for name in NAMES[5:9]] == [STAYS, STAYS, STAYS, MOVES]
    assert [cell(features, 2, BASS)[name] for name in NAMES[5:9]] == [GOES_ON, AGAIN, SILENT, STAYS]
    struck[1, SOPRANO] = details.UNKNOWN
    assert cell(strikes.features(grid, plan.unknown(3), struck), 1, ALTO)["soprano"] == STAYS


def test_a_cell_sees_how_long_its_note_sounds_and_where_in_the_plan_it_is():
    grid = np.repeat([[60] * 4, [62] * 4], [30, 10], axis=0)
    struck = details.settled(np.zeros(grid.shape, int), grid)
    struck[20] = 1
    asked = plan.regular(tonic=0, mode=0, bar=12, pickup=4, ends=[8, 40])
    features = strikes.features(grid, asked, struck)
    wanted = ["held", "ahead", "bar", "place", "phrase", "begun"]
    seen = {row: [cell(features, row, ALTO)[name] for name in wanted] for row in (1, 8, 20, 21, 39)}
    assert seen == {
        1: [1, 16, 13, 10, 7, 1],
        8: [8, 16, 13, 5, 32, 2],
        20: [16, 10, 13, 5, 20, 1],
        21: [1, 9, 13, 6, 19, 1],
        39: [9, 1, 13, 12, 1, 1],
    }
    nothing = strikes.features(grid, plan.unknown(40), struck)
    assert [cell(nothing, 8, ALTO)[name] for name in wanted] == [8, 16, 0, 0, 0, 0]


def test_numbers_stay_below_what_the_network_has_vectors_for():
    grid, asked = repeated.grid(200), plan.regular(0, 0, 192, 0, [200])
    features = strikes.features(grid, asked, repeated.struck(grid))
    assert (features >= 0).all() and (features <= [*FEATURES.values()]).all()
    assert cell(features, 199, 0)["bar"] == FEATURES["bar"]


def test_the_file_loads_as_the_same_network(tmp_path):
    network = strikes.build(4)
    model_file.save(network, tmp_path / "strikes.keras")
    grid = repeated.grid(8)
    features = strikes.features(grid, plan.unknown(8), repeated.struck(grid)).reshape(-1, 11)
    one, other = (
        strikes.predictor(which)(features)
        for which in (network, model_file.load(tmp_path / "strikes.keras"))
    )
    assert len(one) == 32 and one.tolist() == other.tolist()


@pytest.mark.parametrize("count", [0, 1, strikes.CELLS_AT_ONCE, strikes.CELLS_AT_ONCE + 1])
def test_any_number_of_cells_is_predicted(count):
    assert strikes.predictor(strikes.build(2))(np.zeros((count, 11), np.int32)).shape == (count,)
