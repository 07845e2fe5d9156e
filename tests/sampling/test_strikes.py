import numpy as np
import pytest

from helpers import repeated
from kantor import plan
from kantor.details import NO_SIGNATURE, UNKNOWN, check, settled
from kantor.network import strikes as network
from kantor.sampling import strikes
from kantor.system.runtime import keras


@pytest.fixture(scope="module")
def striking():
    """A network that strikes by chance, and minds all features."""
    keras.utils.set_random_seed(3)
    built = network.build(8)
    draw = np.random.default_rng(3)
    built.set_weights([draw.normal(0, 0.4, weights.shape) for weights in built.get_weights()])
    return built


GRIDS = [repeated.grid(rows, seed) for seed, rows in enumerate((40, 100, 7))]
PLANS = [plan.regular(0, 0, 16, 4, [len(grid)]) for grid in GRIDS]


def in_order(striking, grid, asked, seed):
    """The cells of a piece, drawn one after the other."""
    predict = network.predictor(striking)
    source = np.random.SeedSequence((seed, strikes.OWN))
    draws = np.random.Generator(np.random.Philox(source)).random(grid.shape)
    struck = settled(np.full(grid.shape, UNKNOWN), grid)
    for row, voice in np.argwhere(struck == UNKNOWN):
        numbers = network.features(grid, asked, struck)[row, voice][None]
        struck[row, voice] = draws[row, voice] < predict(numbers)[0]
    return struck


def test_cells_are_as_if_drawn_one_after_the_other(striking):
    (drawn,) = strikes.draw(striking, GRIDS[:1], PLANS[:1], [5])
    assert drawn.tolist() == in_order(striking, GRIDS[0], PLANS[0], 5).tolist()
    again = drawn[network.stays(GRIDS[0])]
    assert 0.1 < again.mean() < 0.9


def test_a_piece_is_the_same_in_whatever_company(striking):
    together = strikes.draw(striking, GRIDS, PLANS, [1, 2, 3])
    alone = [
        strikes.draw(striking, [grid], [asked], [seed])[0]
        for grid, asked, seed in zip(GRIDS, PLANS, (1, 2, 3), strict=True)
    ]
    assert [one.tolist() for one in together] == [one.tolist() for one in alone]
    (other,) = strikes.draw(striking, GRIDS[:1], PLANS[:1], [7])
    assert other.tolist() != alone[0].tolist()


def test_struck_cells_of_a_prompt_are_kept_and_unknown_ones_drawn(striking):
    grid = GRIDS[1]
    prompt = repeated.struck(grid, seed=9)[:50]
    (drawn,) = strikes.draw(striking, [grid], PLANS[1:2], [4], [prompt])
    assert drawn[:50].tolist() == prompt.tolist()
    assert set(drawn.ravel().tolist()) == {0, 1}
    (free,) = strikes.draw(striking, [grid], PLANS[1:2], [4])
    (unknown,) = strikes.draw(striking, [grid], PLANS[1:2], [4], [np.full((50, 4), UNKNOWN)])
    assert unknown.tolist() == free.tolist() != drawn.tolist()


def test_new_notes_are_struck_and_silence_is_not(striking):
    for grid, drawn in zip(GRIDS, strikes.draw(striking, GRIDS, PLANS, [1, 2, 3]), strict=True):
        stays = network.stays(grid)
        assert (drawn[~stays] == (grid[~stays] != 0)).all()


def held(*soprano):
    """A grid with a soprano (rows,), and its struck cells."""
    grid = np.tile(np.array(soprano)[:, None], 4)
    return grid, settled(np.zeros(grid.shape, int), grid)


def test_the_note_at_the_end_of_a_phrase_has_a_fermata_from_where_it_begins():
    grid, struck = held(60, 60, 60, 60, 60, 62, 62, 64)
    asked = plan.regular(tonic=2, mode=1, bar=4, pickup=1, ends=[4, 8])
    struck[2, 0], struck[4, 0] = 1, 1
    details = strikes.details(grid, asked, struck)
    check(details, "composed")
    assert details.fermata.tolist() == [0, 0, 1, 1, 0, 0, 0, 1]
    assert details.bar.tolist() == [4] * 8
    assert details.place.tolist() == [3, 0, 1, 2, 3, 0, 1, 2]
    assert details.signature.tolist() == [-1] * 8
    assert details.struck.tolist() == struck.tolist()
    struck[4, 0] = 0  # the note goes on over the end of the phrase
    assert strikes.details(grid, asked, struck).fermata.tolist() == [0, 0, 1, 1, 1, 0, 0, 1]
    struck[2, 0] = UNKNOWN
    assert strikes.details(grid, asked, struck).fermata.tolist() == [1] * 5 + [0, 0, 1]


def test_silence_has_no_fermata():
    grid, struck = held(60, 0, 0, 60)
    asked = plan.regular(tonic=0, mode=0, bar=4, pickup=0, ends=[2, 4])
    assert strikes.details(grid, asked, struck).fermata.tolist() == [0, 0, 0, 1]


def test_what_a_plan_does_not_tell_is_unknown():
    grid, struck = held(60, 60, 62)
    details = strikes.details(grid, plan.unknown(3), struck)
    for column in (details.bar, details.place, details.fermata):
        assert column.tolist() == [UNKNOWN] * 3
    assert details.signature.tolist() == [NO_SIGNATURE] * 3
    half = plan.unknown(3)
    half[:, plan.BAR], half[2, plan.PHRASE] = 16, 1
    details = strikes.details(grid, half, struck)
    check(details, "half")
    assert details.fermata.tolist() == [UNKNOWN, UNKNOWN, 1]
