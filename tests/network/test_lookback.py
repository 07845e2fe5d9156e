import numpy as np
import pytest

from helpers.networks import probabilities
from kantor.network import lookback
from kantor.system.runtime import tf

pytestmark = pytest.mark.xdist_group("lookback")  # they share what is built once
REACHES = (1, 2, 4, 8, 16, 32)  # rows alike, by level from 1


@pytest.fixture(scope="module")
def hints_of():
    """The hints of tokens (batch, rows, 4)."""
    model = lookback.model("lookback")
    return lambda tokens: probabilities(model, tokens)


def split(hints):
    ends = np.cumsum(list(lookback.HINTS.values()))
    return dict(zip(lookback.HINTS, np.split(hints, ends[:-1], axis=-1), strict=True))


def repeating(seed, rows=90):
    """Rows of tokens in which phrases come again, in all voices or in some."""
    draw = np.random.default_rng(seed)
    tokens = draw.integers(0, 4, (rows, 4)) * 7
    for _ in range(4):
        length, voice = draw.integers(3, 35), draw.integers(0, 5)
        to, start = draw.integers(0, rows - length, 2)
        voices = slice(None) if voice == 4 else slice(voice, voice + 1)
        tokens[to : to + length, voices] = tokens[start : start + length, voices].copy()
    return tokens.repeat(draw.integers(1, 4), axis=0)[:rows]


def looked_up(line, row):
    """What came after the place of a line (rows, ...) most like a row, by plain loops."""
    best, level = None, 0
    for then in range(1, row):
        alike = 0
        while alike < then and np.array_equal(line[then - 1 - alike], line[row - 1 - alike]):
            alike += 1
        reached = sum(alike >= rows for rows in REACHES)
        if reached and reached >= level:
            best, level = then, reached
    nothing = np.full(line.shape[1:], lookback.NOTHING)
    return (nothing if best is None else line[best]), level


@pytest.mark.parametrize("seed", range(6))
def test_hints_are_what_plain_loops_find(hints_of, seed):
    tokens = repeating(seed)
    hints = split(hints_of(tokens[None])[0])
    assert len(hints["row"]) == len(tokens)
    levels = set()
    for row in range(len(tokens)):
        note, level = looked_up(tokens, row)
        assert hints["row"][row].tolist() == note.tolist() and hints["row_level"][row] == level
        for voice in range(4):
            note, level = looked_up(tokens[:, voice], row)
            assert hints["voice"][row, voice] == note
            assert hints["voice_level"][row, voice] == level
            levels.add(level)
    assert len(levels) > 4, "a test of little"


def test_it_counts_how_long_a_note_is_held_and_where_it_is(hints_of):
    lengths = [3, 1, 20, 8]
    line = np.repeat([9, 10, 9, 0], lengths)
    grid = np.stack([line, np.full(32, 5), np.arange(32) % 46 + 1, line], axis=1)
    hints = split(hints_of(grid[None])[0])
    within = [i for length in lengths for i in range(length)]
    assert hints["held"][1:, 0].tolist() == [min(i, 15) for i in within[:-1]]
    assert hints["held"][1:, 1].tolist() == [min(i, 15) for i in range(31)]
    assert not hints["held"][:, 2].any()
    assert hints["position"][:, 0].tolist() == [row % 16 for row in range(32)]
    assert np.array_equal(hints["before"][1:], grid[:-1])
    assert (hints["before"][0] == lookback.NOTHING).all()


def test_what_comes_later_changes_no_hint(hints_of):
    tokens = repeating(1)[None]
    whole = hints_of(tokens)
    for rows in (1, 2, 33, 89):
        later = tokens.copy()
        later[:, rows - 1 :] = 3
        assert np.array_equal(hints_of(later)[:, :rows], whole[:, :rows])
        assert np.array_equal(hints_of(tokens[:, :rows]), whole[:, :rows])


@pytest.mark.parametrize("seed", range(3))
def test_row_by_row_the_hints_are_the_same(hints_of, seed):
    rows = np.stack([repeating(2 * seed), repeating(2 * seed + 1)])
    memory = lookback.empty(pieces=2, rows=100)
    hints = []
    for row in range(rows.shape[1]):
        hint, memory = lookback.look_back(memory, tf.constant(row))
        memory = lookback.remember(memory, tf.constant(row), tf.constant(rows[:, row], tf.int32))
        hints.append(hint.numpy())
    assert np.array_equal(np.concatenate(hints, axis=1), hints_of(rows))
