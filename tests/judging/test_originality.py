import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays

from helpers.chorales import of_split
from helpers.music import random_grid
from kantor.judging import originality

# Few pitches, so that much is copied by chance; the lower voice always sounds.
small_grids = strategies.integers(1, 12).flatmap(
    lambda rows: strategies.tuples(
        arrays.arrays(np.int64, rows, elements=strategies.sampled_from([0, 62, 63])),
        arrays.arrays(np.int64, rows, elements=strategies.sampled_from([60, 61])),
    ).map(np.column_stack)
)
small_sets = strategies.lists(small_grids, min_size=1, max_size=3)


def moved(grid, semitones):
    return np.where(grid > 0, grid + semitones, 0)


def same_in_some_key(passage, other):
    silent = (passage == 0).tolist() == (other == 0).tolist()
    return silent and len(set((passage - other)[passage > 0].tolist())) == 1


def by_hand(piece, training):
    """For each row, the longest passage from there that `training` has; a row at least."""
    return [
        max(
            [1]
            + [
                length
                for length in range(2, len(piece) - start + 1)
                for other in training
                for place in range(len(other) - length + 1)
                if same_in_some_key(piece[start : start + length], other[place : place + length])
            ]
        )
        for start in range(len(piece))
    ]


@given(small_sets, small_sets)
def test_all_copied_passages_are_there(pieces, training):
    lengths = originality.matches(pieces, training)
    assert [own.tolist() for own in lengths] == [by_hand(piece, training) for piece in pieces]


@pytest.mark.parametrize("semitones", [-3, 0, 4])
def test_a_piece_of_training_is_copied_in_any_key(semitones):
    training = [random_grid(80, seed=1).clip(0, 70), random_grid(60, seed=2).clip(0, 70)]
    (own,) = originality.compare([moved(training[1], semitones)], training)
    assert own.longest == own.longest_soprano == 60
    assert own.share == 1
    assert own.copied_moving == own.moving == own.passages == 45


def test_the_planted_passage_is_as_long_as_it_is():
    training, piece = random_grid(90, seed=5).clip(0, 70), random_grid(100, seed=6)
    piece[31:58] = moved(training[20:47], 2)
    own, new = originality.compare([piece, random_grid(100, seed=7)], [training])
    assert 27 <= own.longest <= 29  # by chance a row more on either side
    assert own.copied == own.longest - 15
    assert new.longest < 8
    assert new.copied == 0


def test_a_note_breaks_a_passage():
    training = random_grid(64, seed=5).clip(1, 70)
    piece = training.copy()
    piece[40, 2] += 1
    (own,) = originality.compare([piece], [training])
    assert own.longest == 40
    assert own.longest_soprano == 64


def test_a_copied_soprano_alone_is_no_copied_piece():
    training, piece = random_grid(64, seed=5), random_grid(64, seed=6)
    piece[:, 0] = training[:, 0]
    (own,) = originality.compare([piece], [training])
    assert own.longest < 10
    assert own.longest_soprano == 64


def test_no_passage_goes_on_from_one_piece_into_the_next():
    piece = random_grid(60, seed=8)
    (own,) = originality.compare([piece], [piece[:30], piece[30:]])
    assert own.longest == 30
    assert originality.matches([piece[:20], piece[20:]], [piece])[0].tolist() == [*range(20, 0, -1)]


def test_what_stands_still_belongs_to_everybody():
    still = np.tile([67, 64, 60, 48], (40, 1))
    (own,) = originality.compare([still], [moved(still, 2)])
    assert (own.copied, own.passages, own.copied_moving, own.moving) == (25, 25, 0, 0)


@pytest.mark.parametrize("rows", [1, 15])
def test_a_short_piece_has_no_passages(rows):
    (own,) = originality.compare([random_grid(rows)], [random_grid(60)])
    assert own.passages == own.copied == 0
    assert np.isnan(own.share)
    assert originality.compare([], [random_grid(60)]) == []


def test_silence_is_no_pitch():
    sounding = random_grid(40).clip(40, 70)
    rests = sounding.copy()
    rests[:, 3] = 0
    (own,) = originality.compare([rests], [sounding])
    assert own.longest == 1


def test_a_general_pause_keeps_to_the_key():
    training = random_grid(40).clip(40, 70)
    training[20:24] = 0
    (own,) = originality.compare([moved(training, 3)], [training])
    assert own.longest == 40


def test_bach_seldom_copies_himself():
    training = of_split("train")
    pieces = originality.compare(of_split("test"), training)
    longest = [piece.longest for piece in pieces]
    assert 12 <= np.median(longest) <= 24
    assert max(longest) < 100
    share = sum(piece.copied for piece in pieces) / sum(piece.passages for piece in pieces)
    assert 0.01 < share < 0.1
    (own,) = originality.compare(training[7:8], training)
    assert own.longest == len(training[7])
