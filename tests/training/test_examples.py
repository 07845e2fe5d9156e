import numpy as np
import pytest

from helpers.music import random_grid
from helpers.networks import probabilities
from helpers.settings import changed
from kantor import chorale, plan
from kantor.data.records import Record
from kantor.network import lookback
from kantor.network.lookback import NOTHING, TOKEN_HINTS
from kantor.network.model import Parts
from kantor.system.errors import KantorError
from kantor.training import examples

pytestmark = pytest.mark.xdist_group("examples")  # they share what is built once


NOTES, ROWS = Parts("notes", None, []), Parts("rows", None, [])
PLANNED = Parts("rows", None, [], plan=True)


@pytest.fixture(scope="module")
def looking_back():
    return Parts("rows", lookback.model("lookback"), [])


def draw(seed):
    return np.random.default_rng(seed)


def piece(rows, index=0, lowest=20):
    """A piece in which no rows in a row come twice, so that each tells its place."""
    line = np.arange(rows) % 7
    tokens = np.stack([line + lowest + 9, np.arange(rows) // 7 % 5 + lowest, line, line % 2], 1)
    return Record(tokens.astype(np.int32), index, 0)


def crops(settings, pieces, parts=NOTES, batch_size=4, **options):
    options = {"rows": 16, "transpose": False, "passes": 2, "standalone": 0.0} | options
    return examples.Crops(pieces, parts, changed(settings.train.crops, **options), batch_size)


def places(crop, piece):
    """At which row of the piece a crop (rows, 4) begins."""
    rows = piece.tokens
    return [
        start
        for start in range(len(rows) - len(crop) + 1)
        if np.array_equal(rows[start : start + len(crop)], crop)
    ]


def tokens_of(drawn):
    """The tokens (examples, rows, 4) of examples; what is to predict follows from them."""
    inputs, targets = drawn
    if isinstance(inputs, tuple) or inputs.ndim == 3:
        tokens = inputs[0] if isinstance(inputs, tuple) else inputs
        assert np.array_equal(tokens, targets), "a row predicts itself, from above and before"
        return tokens
    assert np.array_equal(inputs[:, 1:], targets[:, :-1]), "a note predicts the next one"
    return np.concatenate([inputs, targets[:, -1:]], axis=1).reshape(len(inputs), -1, 4)


@pytest.mark.parametrize("parts", [NOTES, ROWS], ids=["notes", "rows"])
def test_crops_are_rows_of_pieces_that_begin_on_a_beat(settings, parts):
    whole = piece(34)
    begins = []
    for crop in tokens_of(crops(settings, [whole], parts, passes=40).epoch(draw(0))):
        (start,) = places(crop, whole)
        begins.append(start)
    assert set(begins) == {0, 4, 8, 12, 16}


def test_an_epoch_has_as_many_rows_as_its_passes_in_whole_batches(settings):
    pieces = [piece(32), piece(100, 1)]
    assert crops(settings, pieces).count == 20  # 2 * 132 rows are 16.5 crops
    assert len(tokens_of(crops(settings, pieces).epoch(draw(0)))) == 20


def test_each_epoch_is_drawn_anew_and_the_same_draw_is_the_same_epoch(settings):
    drawn = crops(settings, [piece(60), piece(80, 1)], transpose=True)
    one, same, other = (drawn.epoch(draw(seed)) for seed in (1, 1, 2))
    assert np.array_equal(tokens_of(one), tokens_of(same))
    assert not np.array_equal(tokens_of(one), tokens_of(other))


def test_keys_keep_each_voice_within_its_range():
    low, high = piece(20, lowest=12).tokens, piece(20, lowest=20).tokens
    low[:, 3], high[:, 3] = 0, 0  # a bass that rests throughout binds nothing
    low[:, 2], high[:, 2] = 9, 14
    assert examples.keys([low, high]) == [(0, 5), (-5, 0)]


def test_a_transposed_crop_moves_with_all_its_hints(settings, looking_back):
    grid = random_grid(80)
    grid[40:] = grid[:40]
    pieces = [
        Record(chorale.encode(np.where(grid > 0, grid.clip(45, 65) + up, 0)), up, 0)
        for up in (0, 9)
    ]
    drawn = crops(settings, pieces, looking_back, transpose=True, passes=30)
    inputs, targets = drawn.epoch(draw(3))
    alike, keys = 0, set()
    for rows, hints in zip(targets, inputs[1], strict=True):
        assert np.array_equal(hints[1:, :4], rows[:-1])
        assert (hints[0, :4] == NOTHING).all()
        long = hints[:, TOKEN_HINTS] >= 5  # alike for 16 rows: the repeat, surely
        assert np.array_equal(hints[long, 4:8], rows[long])
        alike += long.sum()
        keys.add(int(rows[rows > 0].min()))
    assert alike > 50 and len(keys) > 5


def test_a_standalone_crop_looks_back_at_itself_alone_but_knows_its_place(settings, looking_back):
    whole = Record(chorale.encode(random_grid(60)), 0, 0)
    options = {"standalone": 1.0, "passes": 9}
    (rows, alone), _ = crops(settings, [whole], looking_back, **options).epoch(draw(1))
    own = np.stack(examples.hints(rows, looking_back.lookback))
    assert np.array_equal(alone[:, :, :-1], own[:, :, :-1])
    begins = [places(crop, whole)[0] for crop in rows]
    period = lookback.PERIOD
    expected = (np.array(begins)[:, None] + np.arange(16)) % period
    assert np.array_equal(alone[:, :, -1], expected)
    assert set(begins) == {0, period, 2 * period, 60 - 16}, "as windows begin, or the end"
    (in_piece,) = examples.hints([whole.tokens], looking_back.lookback)
    within = np.stack([in_piece[begin : begin + 16] for begin in begins])
    assert not np.array_equal(alone[:, 1:], within[:, 1:]) and alone[:, 0, -1].any()


def planned(rows, index=0):
    """A piece with a plan of its own; its lowest token tells the transposition."""
    table = plan.regular(2, 1, 12, 4, [rows // 2, rows])
    return piece(rows, index)._replace(plan=table)


def test_a_crop_has_the_plan_of_its_rows_in_its_key(settings):
    whole = [planned(34), piece(34)._replace(tokens=examples.transposed(piece(34).tokens, 5))]
    options = {"transpose": True, "passes": 20, "without_plan": 0.0, "without_part": 0.0}
    (tokens, plans, in_key), predicted = crops(settings, whole, PLANNED, **options).epoch(draw(0))
    assert np.array_equal(in_key[:, :, 0], plans[:, :, : plan.KEY_COLUMNS])
    assert np.array_equal(predicted[:, :, 0], tokens)
    keys = set()
    for crop, own in zip(tokens, plans, strict=True):
        if (own == plan.UNKNOWN).all():
            continue  # the piece that has no plan
        key = int(crop[:, 0].min() - whole[0].tokens[:, 0].min())
        (start,) = places(examples.transposed(crop, -key), whole[0])
        expected = plan.transposed(whole[0].plan[start : start + 16], key)
        assert np.array_equal(own, expected)
        keys.add(key)
    assert len(keys) > 3


def test_of_plans_as_much_is_unknown_as_settings_say(settings):
    options = {"passes": 300, "without_plan": 0.3, "without_part": 0.2}
    (_, plans, _), _ = crops(settings, [planned(60)], PLANNED, **options).epoch(draw(0))
    unknown = (plans == plan.UNKNOWN).all(1)
    assert abs(unknown.all(1).mean() - 0.3) < 0.05
    some = unknown[~unknown.all(1)]
    for columns in examples.PARTS_OF_A_PLAN:
        assert (some[:, columns[0]] == some[:, columns[-1]]).all()
        assert abs(some[:, columns[0]].mean() - 0.2) < 0.05


def test_starts_beyond_the_end_count_as_the_last(settings):
    for beyond, share in ((0.0, 1 / 13), (1.0, 5 / 17)):
        options = {"passes": 400, "beyond_end": beyond}
        tokens = tokens_of(crops(settings, [piece(60)], ROWS, **options).epoch(draw(0)))
        last = np.mean([np.array_equal(crop, piece(60).tokens[-16:]) for crop in tokens])
        assert abs(last - share) < 0.03


def test_the_plans_of_windows_are_unknown():
    records = [planned(9, seed) for seed in range(3)]
    (_, plans, _), _ = examples.Windows(records, PLANNED).all()
    assert plans.shape == (3, 9, plan.COLUMNS) and (plans == plan.UNKNOWN).all()


def test_hints_of_many_are_those_of_each(looking_back):
    pieces = [random_grid(rows, seed=rows) % 47 for rows in (3, 70, 33, 64, 20)]
    for rows, hints in zip(pieces, examples.hints(pieces, looking_back.lookback), strict=True):
        assert np.array_equal(hints, probabilities(looking_back.lookback, rows[None])[0])


def test_windows_come_once_an_epoch_with_their_hints(looking_back):
    records = [Record(chorale.encode(random_grid(9, seed)), 0, 0) for seed in range(5)]
    windows = examples.Windows(records, looking_back)
    assert np.array_equal(tokens_of(windows.all()), [record.tokens for record in records])
    (_, hints), targets = windows.epoch(draw(0))
    order = [
        next(i for i, record in enumerate(records) if np.array_equal(record.tokens, rows))
        for rows in targets
    ]
    assert sorted(order) == list(range(5)) and order != list(range(5))
    assert np.array_equal(hints, windows.all()[0][1][order]) and hints.shape[1] == 9
    assert not np.array_equal(hints[0], hints[1])


def test_a_crop_longer_than_a_piece_is_an_error(settings):
    with pytest.raises(KantorError, match=r"train\.crops\.rows is 16: chorale 7 has only 12 rows"):
        crops(settings, [piece(20), piece(12, 7)])
