import numpy as np
import pytest

from conftest import changed, random_grid
from kantor import chorale
from kantor.data.records import Record
from kantor.network.lookback import NOTHING, TOKEN_HINTS
from kantor.network.lookback import recall as recall_model
from kantor.system.errors import KantorError
from kantor.training import examples

pytestmark = pytest.mark.xdist_group("examples")  # they share what is built once


@pytest.fixture(scope="module")
def recall():
    return recall_model()


def piece(rows, index=0, lowest=20):
    """A piece in which no stretch of rows comes twice, so that each tells its place."""
    line = np.arange(rows) % 7
    tokens = np.stack([line + lowest + 9, np.arange(rows) // 7 % 5 + lowest, line, line % 2], 1)
    return Record(tokens.reshape(-1).astype(np.int32), index, 0)


def crops(chosen, pieces, recall=None, batch_size=4, **options):
    options = {"rows": 16, "transpose": False, "passes": 2, "cold": 0.0} | options
    return examples.Crops(pieces, recall, changed(chosen.train.crops, **options), batch_size)


def places(crop, of):
    """At which row of the piece a crop (rows, 4) begins."""
    rows = of.tokens.reshape(-1, 4)
    return [
        start
        for start in range(len(rows) - len(crop) + 1)
        if np.array_equal(rows[start : start + len(crop)], crop)
    ]


def arpeggios(drawn):
    inputs, targets = drawn
    if isinstance(inputs, tuple):
        assert np.array_equal(inputs[0], targets), "a row predicts itself, from above and before"
        return targets.reshape(len(targets), -1)
    assert np.array_equal(inputs[:, 1:], targets[:, :-1]), "a note predicts the next one"
    return np.concatenate([inputs, targets[:, -1:]], axis=1)


def test_crops_are_stretches_of_pieces_that_begin_on_a_beat(chosen):
    of = piece(34)
    begins = []
    for crop in arpeggios(crops(chosen, [of], passes=40).epoch(np.random.default_rng(0))):
        (start,) = places(crop.reshape(-1, 4), of)
        begins.append(start)
    assert set(begins) == {0, 4, 8, 12, 16}


def test_an_epoch_has_as_many_rows_as_its_passes_in_whole_batches(chosen):
    pieces = [piece(32), piece(100, 1)]
    assert crops(chosen, pieces).count == 20  # 2 * 132 rows are 16.5 crops
    assert len(arpeggios(crops(chosen, pieces).epoch(np.random.default_rng(0)))) == 20


def test_each_epoch_is_drawn_anew_and_the_same_draw_is_the_same_epoch(chosen):
    drawn = crops(chosen, [piece(60), piece(80, 1)], transpose=True)
    one, same, other = (drawn.epoch(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(arpeggios(one), arpeggios(same))
    assert not np.array_equal(arpeggios(one), arpeggios(other))


def test_keys_keep_each_voice_within_its_range():
    low, high = piece(20, lowest=12).tokens, piece(20, lowest=20).tokens
    low, high = low.reshape(-1, 4), high.reshape(-1, 4)
    low[:, 3], high[:, 3] = 0, 0  # a bass that rests throughout binds nothing
    low[:, 2], high[:, 2] = 9, 14
    assert examples.keys([low, high]) == [(0, 5), (-5, 0)]


def test_a_transposed_crop_moves_with_all_that_it_recalls(chosen, recall):
    grid = random_grid(80)
    grid[40:] = grid[:40]
    pieces = [
        Record(chorale.encode(np.where(grid > 0, grid.clip(45, 65) + up, 0)), up, 0)
        for up in (0, 9)
    ]
    drawn = crops(chosen, pieces, recall, transpose=True, passes=30)
    inputs, targets = drawn.epoch(np.random.default_rng(3))
    known, keys = 0, set()
    for rows, hints in zip(targets, inputs[1], strict=True):
        assert np.array_equal(hints[1:, :4], rows[:-1])
        assert (hints[0, :4] == NOTHING).all()
        long = hints[:, TOKEN_HINTS] >= 5  # alike for 16 rows: the repeat, surely
        assert np.array_equal(hints[long, 4:8], rows[long])
        known += long.sum()
        keys.add(int(rows[rows > 0].min()))
    assert known > 50 and len(keys) > 5


def test_a_cold_crop_recalls_itself_alone_but_knows_its_place(chosen, recall):
    pieces = [Record(chorale.encode(random_grid(60)), 0, 0)]
    (rows, cold), _ = crops(chosen, pieces, recall, cold=1.0).epoch(np.random.default_rng(1))
    (same, warm), _ = crops(chosen, pieces, recall).epoch(np.random.default_rng(1))
    assert np.array_equal(rows, same)
    own = np.stack(examples.hints(rows, recall))
    assert np.array_equal(cold[:, :, :-1], own[:, :, :-1])
    assert np.array_equal(cold[:, :, -1], warm[:, :, -1])
    assert not np.array_equal(cold, warm) and cold[:, 0, -1].any()


def test_hints_of_many_are_those_of_each(recall):
    pieces = [random_grid(rows, seed=rows) % 47 for rows in (3, 70, 33, 64, 20)]
    for rows, hints in zip(pieces, examples.hints(pieces, recall), strict=True):
        assert np.array_equal(hints, recall.predict(rows[None], verbose=0)[0])


def test_windows_come_once_an_epoch_with_what_they_recall(recall):
    records = [Record(chorale.encode(random_grid(9, seed)), 0, 0) for seed in range(5)]
    windows = examples.Windows(records, recall)
    assert np.array_equal(arpeggios(windows.all()), [record.tokens for record in records])
    (_, hints), targets = windows.epoch(np.random.default_rng(0))
    order = [
        next(i for i, record in enumerate(records) if np.array_equal(record.tokens, rows.ravel()))
        for rows in targets
    ]
    assert sorted(order) == list(range(5)) and order != list(range(5))
    assert np.array_equal(hints, windows.all()[0][1][order]) and hints.shape[1] == 9
    assert not np.array_equal(hints[0], hints[1])


def test_a_crop_longer_than_a_piece_is_an_error(chosen):
    with pytest.raises(KantorError, match=r"train\.crops\.rows is 16: chorale 7 has only 12 rows"):
        crops(chosen, [piece(20), piece(12, 7)])
