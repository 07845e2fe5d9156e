import numpy as np
import pytest
from hypothesis import given

from helpers.chorales import of_split
from helpers.music import grids
from kantor.judging import form

TONIC, SIXTH, FOURTH, FIFTH = (
    [72, 67, 64, 48],
    [72, 67, 64, 52],
    [72, 69, 65, 53],
    [71, 67, 62, 55],
)


def quarters(*chords):
    return np.repeat(chords, 4, axis=0)


PHRASE = quarters(TONIC, FOURTH, FIFTH, SIXTH, FOURTH, FIFTH)


def piece(*, last=TONIC, rows=8, first=TONIC):
    """A piece in C: what it begins with, some phrases, what it ends on and for how many rows."""
    return np.concatenate([quarters(first), *[PHRASE] * 4, np.tile(last, (rows, 1))])


def phrased(lengths):
    """Phrases of that many quarters, the last two of which stand still."""
    walk = quarters(*[FOURTH, FIFTH, SIXTH] * 6)
    return np.concatenate(
        [np.concatenate([walk[: 4 * (beats - 2)], np.tile(TONIC, (8, 1))]) for beats in lengths]
    )


def total(pieces, name):
    counts = np.sum([form.counts(piece, whole=True)[name] for piece in pieces], axis=0)
    return counts[0] / counts[1]


@pytest.mark.parametrize(
    ("end", "proper"),
    [
        ({}, 1),
        ({"last": [72, 67, 63, 48]}, 1),
        ({"last": SIXTH}, 0),
        ({"last": FIFTH}, 0),
        ({"last": [72, 64, 60, 48]}, 0),  # without a fifth
        ({"last": [72, 67, 64, 0]}, 0),
        ({"rows": 3}, 0),
        ({"rows": 4}, 1),
    ],
)
def test_a_proper_end_is_a_held_tonic_triad_in_root_position(end, proper):
    assert form.counts(piece(**end), whole=True)["proper_ends"] == (proper, 1)


@pytest.mark.parametrize(
    ("first", "proper"),
    [(TONIC, 1), (SIXTH, 1), (FIFTH, 1), (FOURTH, 0), ([72, 68, 64, 48], 0)],
)
def test_a_proper_beginning_is_on_the_tonic_or_dominant(first, proper):
    assert form.counts(piece(first=first), whole=True)["proper_beginnings"] == (proper, 1)
    upbeat = np.concatenate([[[72, 0, 0, 0]] * 4, piece(first=first)])
    assert form.counts(upbeat, whole=True)["proper_beginnings"] == (proper, 1)


def test_the_end_of_a_cut_piece_is_not_judged():
    whole, cut = (form.counts(piece(), whole=whole) for whole in (True, False))
    ends = {"proper_ends", "key_returns"}
    assert {name for name in whole if whole[name] != cut[name]} == ends
    assert {cut[name] for name in ends} == {(0, 0)}


def test_phrases_of_whole_bars_are_in_phase():
    assert form.figures(phrased([8] * 6))["bar_phase"] == 1
    assert form.figures(phrased([6, 9, 12, 6, 9]))["bar_phase"] == 1  # of three quarters
    assert form.figures(phrased([7, 10, 8, 13, 6, 9]))["bar_phase"] < 0.5
    assert np.isnan(form.figures(phrased([8]))["bar_phase"])


def test_phrase_ends_and_their_chords():
    grid = phrased([8] * 4)
    counts = form.counts(grid, whole=True)
    assert counts["phrase_ends"] == (400, 128)
    assert counts["phrase_chords"] == (4, 4)
    inverted = np.where(grid == TONIC[3], SIXTH[3], grid)
    assert form.counts(inverted, whole=True)["phrase_chords"] == (0, 4)


@pytest.mark.parametrize(("rows", "stands"), [(23, 0), (24, 1)])
def test_a_standstill_is_six_quarters(rows, stands):
    assert form.counts(piece(rows=rows), whole=True)["standstill"] == (stands, 1)


@given(grids)
def test_any_grid_has_figures(grid):
    for whole in (True, False):
        counts = form.counts(grid, whole)
        assert counts["phrase_ends"][1] == len(grid)
        for name, (numerator, denominator) in counts.items():
            assert numerator >= 0
            assert name == "phrase_ends" or numerator <= denominator


def test_figures_are_the_same_in_every_key():
    for grid in of_split("test")[:10]:
        moved = np.where(grid > 0, grid + 1, 0)
        assert form.counts(moved, whole=True) == form.counts(grid, whole=True)


def test_bach_has_the_form_of_chorales():
    pieces = of_split("test")
    assert total(pieces, "key_kept") > 0.75
    assert total(pieces, "key_returns") > 0.6
    assert total(pieces, "bar_phase") > 0.65
    assert 2.4 < total(pieces, "phrase_ends") < 3
    assert total(pieces, "phrase_chords") > 0.9
    assert total(pieces, "proper_ends") > 0.8
    assert total(pieces, "proper_beginnings") > 0.8
    assert total(pieces, "standstill") < 0.03


def test_beats_of_bach_in_a_random_order_do_not():
    draw = np.random.Generator(np.random.Philox(5))
    pieces = [
        grid[: len(grid) // 4 * 4]
        .reshape(-1, 4, 4)[draw.permutation(len(grid) // 4)]
        .reshape(-1, 4)
        for grid in of_split("test")
    ]
    assert total(pieces, "bar_phase") < 0.5
    assert total(pieces, "proper_ends") < 0.4
    assert total(pieces, "phrase_ends") < 2.6
