import numpy as np

from helpers.music import random_grid
from kantor import chorale
from kantor.chorale import SILENCE
from kantor.data.records import Record
from kantor.evaluation import baselines, cheaters


def test_shuffled_notes_keep_their_rhythm_and_stay_in_their_voice():
    grid = random_grid(200, 1)
    same = cheaters.shuffled(grid, 0.0, 1)
    assert np.array_equal(same, grid)
    other = cheaters.shuffled(grid, 0.5, 1)
    assert not np.array_equal(other, grid)
    assert np.array_equal(other == SILENCE, grid == SILENCE)
    for voice in range(4):
        bounds = chorale.runs(grid[:, voice])
        assert all(len(set(other[begin:end, voice])) == 1 for begin, end in bounds)
        pitches = [sorted(one[begin, voice] for begin, _ in bounds) for one in (grid, other)]
        assert pitches[0] == pitches[1]


def test_a_copy_has_the_same_intervals_in_another_key():
    grid = random_grid(40, 2) - 1
    grid = np.where(grid < chorale.LOWEST, SILENCE, grid)
    copy = cheaters.copied(grid)
    steps = (copy - grid)[grid != SILENCE]
    assert len(set(steps)) == 1 and steps[0] != 0
    assert np.array_equal(copy == SILENCE, grid == SILENCE)
    chorale.check(copy, "copy")


def test_a_bigram_draws_only_what_it_has_seen():
    grid = random_grid(60, 3)
    predict = baselines.bigram([Record(chorale.encode(grid), 0, 0)], 1e-9)
    pieces = cheaters.drawn(predict, [30, 50], seed=1)
    assert [len(piece) for piece in pieces] == [30, 50]
    for voice in range(4):
        seen = set(zip(grid[:-1, voice], grid[1:, voice], strict=True))
        for piece in pieces:
            assert piece[0, voice] == grid[0, voice]
            assert set(zip(piece[:-1, voice], piece[1:, voice], strict=True)) <= seen
    assert np.array_equal(pieces[0], cheaters.drawn(predict, [30, 50], seed=1)[0])
