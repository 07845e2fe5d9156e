"""Completions of a piece: they keep what is there, differ, and are sorted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.music import random_grid
from helpers.networks import shared
from kantor import details
from kantor.params import SamplerOptions
from kantor.sampling import completions, posterior
from kantor.sampling.fragments import UNKNOWN, Fragment
from kantor.sampling.posterior import Filter

ROWS = 8
PARTICLES = 4


@pytest.fixture(scope="module")
def completing():
    """A filter over a network of rows, compiled once."""
    return Filter(shared("rows"), PARTICLES)


@pytest.mark.slow
@settings(max_examples=15)
@given(
    mask=arrays.arrays(bool, (ROWS, 4)),
    seed=st.integers(0, 99),
    temperature=st.sampled_from([0.0, 1.0, 3.0]),
)
def test_notes_that_are_there_are_kept(completing, mask, seed, temperature):
    original = random_grid(ROWS, seed)
    fragment = Fragment(
        np.where(mask, original, UNKNOWN), seed, SamplerOptions(temperature=temperature)
    )
    (particles,) = completing.complete([fragment])
    assert (particles.grids[:, mask] == original[mask]).all()
    assert (particles.grids != UNKNOWN).all()


@pytest.fixture(scope="module")
def fragment():
    """Two rows are there, in the middle."""
    grid = np.full((ROWS, 4), UNKNOWN)
    grid[3:5] = random_grid(2)
    return Fragment(grid, 7, SamplerOptions(), np.full((ROWS, 6), UNKNOWN))


@pytest.fixture(scope="module")
def three(completing, fragment):
    return completions.different(completing, fragment, 3)


def test_completions_differ_and_the_likeliest_comes_first(fragment, three):
    assert len({one.grid.tobytes() for one in three}) == 3
    nats = [one.nats for one in three]
    assert nats == sorted(nats) and nats[0] > 0
    for one in three:
        assert one.grid[3:5].tolist() == fragment.grid[3:5].tolist()


def test_completions_are_the_same_bits_again(completing, fragment, three):
    again = completions.different(completing, fragment, 3)
    assert [one.grid.tolist() for one in again] == [one.grid.tolist() for one in three]
    assert [one.nats for one in again] == [one.nats for one in three]


@pytest.mark.slow
def test_fewer_come_where_there_are_no_others(completing, fragment):
    greedy = Fragment(fragment.grid, 7, SamplerOptions(temperature=0), fragment.plan)
    assert len(completions.different(completing, greedy, 3)) == 1


def test_a_changed_note_never_leaves(completing, fragment, monkeypatch):
    wrong = posterior.Particles(np.full((1, ROWS, 4), 60), np.zeros(1), np.zeros(1), 0.0)
    monkeypatch.setattr(completing, "complete", lambda fragments: [wrong])
    with pytest.raises(AssertionError, match="changed"):
        completions.different(completing, fragment, 1)


def test_details_of_notes_that_are_there_stay(fragment, three):
    """What is told of the others, which are composed anew, no longer holds."""
    told = details.unknown(ROWS)._replace(
        struck=np.ones((ROWS, 4), int),
        fermata=np.isin(np.arange(ROWS), [3, 4, 7]).astype(int),
        signature=np.full(ROWS, 2),
    )
    for one, own in zip(three, completions.detailed(None, three, told), strict=True):
        rests = one.grid[3:5] == 0
        assert own.struck[3:5].tolist() == np.where(rests, 0, 1).tolist()
        stays = (np.diff(one.grid, axis=0) == 0) & (one.grid[1:] != 0)
        composed = np.r_[0:2, 4:7]
        assert (own.struck[1:][composed][stays[composed]] == UNKNOWN).all()
        assert own.fermata.tolist() == 3 * [UNKNOWN] + [1, 1] + 3 * [UNKNOWN]
        assert own.signature.tolist() == ROWS * [2]
