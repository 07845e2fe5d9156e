import numpy as np
import pytest

from helpers.music import random_grid, unpacked
from kantor import chorale
from kantor.data.records import Record
from kantor.evaluation import duplicates


def record(grid, number):
    return Record(chorale.encode(grid), number, 0)


def moved(grid, semitones):
    return np.where(grid > 0, grid.clip(45, 70) + semitones, 0)


def twins(pieces, others, share=0.5):
    return duplicates.near_duplicates(pieces, others, rows=8, share=share)


def test_a_piece_is_found_in_another_key_and_at_another_place():
    grid = random_grid(60)
    others = [record(random_grid(60, seed=9), 1), record(moved(grid, 0), 2)]
    within = record(moved(grid[13:43], 5), 3)
    assert twins([within, record(random_grid(40, seed=4), 4)], others) == [3]


def test_a_few_rows_in_common_are_no_duplicate():
    grid, new = random_grid(60), random_grid(60, seed=3)
    new[:17] = grid[20:37]  # 10 of 53 segments
    assert twins([record(new, 0)], [record(grid, 1)]) == []
    assert twins([record(new, 0)], [record(grid, 1)], share=0.18) == [0]


def test_pieces_that_together_have_it_all_do_not_count():
    grid = random_grid(61)
    halves = [record(grid[:33], 1), record(grid[29:], 2)]
    assert twins([record(grid, 0)], halves, share=0.6) == []


def test_silence_is_no_pitch():
    grid = np.full((10, 4), 60)
    grid[:, 0] = 64
    rests = grid.copy()
    rests[:, 3] = 0
    assert twins([record(rests, 0)], [record(grid, 1)]) == []


def test_the_published_archives_four_pairs_are_found(published, settings):
    splits = {split: [] for split in chorale.SPLITS}
    for (split, number), grid in sorted(unpacked(published).items()):
        splits[split].append(record(grid, number))
    limits = {
        "rows": settings.evaluate.duplicate_rows,
        "share": settings.evaluate.duplicate_share,
    }
    numbers = {
        split: duplicates.near_duplicates(splits[split], splits["train"], **limits)
        for split in ("valid", "test")
    }
    assert numbers == {"valid": [287, 303], "test": [313, 374]}


@pytest.mark.parametrize("rows", [0, 5])
def test_pieces_without_a_segment_are_no_duplicates(rows):
    short = record(random_grid(rows or 1)[:rows], 0)
    assert twins([short], [record(random_grid(60), 1)]) == []
