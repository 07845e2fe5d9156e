import numpy as np
import pytest

from kantor import chorale, row_gru

LOOKED = (1, 2, 4, 8, 16, 32)  # rows alike, by level from 1


@pytest.fixture(scope="module")
def recall():
    return row_gru.recall()


def split(hints):
    ends = np.cumsum(list(row_gru.HINTS.values()))
    return dict(zip(row_gru.HINTS, np.split(hints, ends[:-1], axis=-1), strict=True))


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
    """What a line (rows, ...) recalls for a row, told by plain loops."""
    best, level = None, 0
    for then in range(1, row):
        alike = 0
        while alike < then and np.array_equal(line[then - 1 - alike], line[row - 1 - alike]):
            alike += 1
        reached = sum(alike >= rows for rows in LOOKED)
        if reached and reached >= level:
            best, level = then, reached
    nothing = np.full(line.shape[1:], row_gru.NOTHING)
    return (nothing if best is None else line[best]), level


@pytest.mark.parametrize("seed", range(6))
def test_it_recalls_what_plain_loops_find(recall, seed):
    tokens = repeating(seed)
    hints = split(recall.predict(tokens.reshape(1, -1), verbose=0)[0])
    assert len(hints["row"]) == len(tokens) + 1
    levels = set()
    for row in range(len(tokens) + 1):
        found, level = looked_up(tokens, row)
        assert hints["row"][row].tolist() == found.tolist() and hints["row_level"][row] == level
        for voice in range(4):
            found, level = looked_up(tokens[:, voice], row)
            assert hints["voice"][row, voice] == found
            assert hints["voice_level"][row, voice] == level
            levels.add(level)
    assert len(levels) > 4, "a test of little"


def test_it_counts_how_long_a_note_is_held_and_where_it_is(recall):
    lengths = [3, 1, 20, 8]
    line = np.repeat([9, 10, 9, 0], lengths)
    grid = np.stack([line, np.full(32, 5), np.arange(32) % 46 + 1, line], axis=1)
    hints = split(recall.predict(grid.reshape(1, -1), verbose=0)[0])
    within = [i for length in lengths for i in range(length)]
    assert hints["held"][1:, 0].tolist() == [min(i, 15) for i in within]
    assert hints["held"][1:, 1].tolist() == [min(i, 15) for i in range(32)]
    assert not hints["held"][:, 2].any()
    assert hints["position"][:, 0].tolist() == [row % 16 for row in range(33)]


def test_rows_that_are_not_whole_recall_nothing_else(recall):
    tokens = repeating(1)
    whole = recall.predict(tokens.reshape(1, -1), verbose=0)
    for notes in (1, 3, 4, 130, 133, 359):
        part = recall.predict(tokens.reshape(1, -1)[:, :notes], verbose=0)
        assert np.array_equal(part, whole[:, : notes // len(chorale.VOICES) + 1])
