"""Errors of counterpoint, planted in good music one at a time."""

from typing import NamedTuple

import numpy as np

from helpers.counterpoint import RANGES, by_hand, leads

TRIES = 100
NEIGHBOURS = ((0, 1), (1, 2), (2, 3))
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


class Plant(NamedTuple):
    """Music with an error more than before."""

    grid: np.ndarray
    error: tuple[str, int, tuple[int, ...]]  # kind, row, voices


def plant(kind: str, grid: np.ndarray, draw: np.random.Generator) -> Plant | None:
    """Plant an error at a random place of a grid; None where none of many tries is pure.

    A try is pure if the rules by hand tell of the planted error and of no other difference.
    """
    before = by_hand(grid)
    for _ in range(TRIES):
        attempt = PLANTERS[kind](grid.copy(), draw, *ARGUMENTS.get(kind, ()))
        if attempt is None:
            continue
        music, row, voices = attempt
        error = (kind, int(row), voices)
        rows = np.flatnonzero((music != grid).any(1))
        if len(rows) == 0 or error in before or music.min() < 0 or music.max() > 81:
            continue
        if ((music > 0) & (music < 36)).any():
            continue
        near = range(rows[0], min(rows[-1] + 2, len(grid)))
        if by_hand(music, near) - before == {error} and by_hand(music) ^ before == {error}:
            return Plant(music, error)
    return None


def _parallel(grid, draw, interval, together):
    """Give the lower voice of a pair the notes that make two perfect intervals."""
    upper, lower = pair = PAIRS[draw.integers(6)]
    row = _pick(draw, _moves(grid, upper) & _moves(grid, lower))
    if row is None:
        return None
    first, second = grid[row - 1, upper], grid[row, upper]
    low = _nearest(first - interval, grid[row - 1, lower])
    direction = np.sign(second - first) * (1 if together else -1)
    _set(grid, row, lower, _towards(second - interval, low, direction))
    _set(grid, row - 1, lower, low)
    return grid, row, pair


def _direct(grid, draw, interval):
    """Let the soprano leap, and the bass go with it to a perfect interval."""
    row = _pick(draw, _moves(grid, 0) & _moves(grid, 3))
    if row is None:
        return None
    if abs(grid[row, 0] - grid[row - 1, 0]) <= 2:
        _set(grid, row, 0, grid[row - 1, 0] + draw.choice([-5, -4, -3, 3, 4, 5]))
    direction = np.sign(grid[row, 0] - grid[row - 1, 0])
    _set(grid, row, 3, _towards(grid[row, 0] - interval, grid[row - 1, 3], direction))
    return grid, row, (0, 3)


def _crossing(grid, draw):
    return _beyond(grid, draw, NEIGHBOURS, -draw.integers(1, 5))


def _spacing(grid, draw):
    return _beyond(grid, draw, NEIGHBOURS[:2], draw.integers(13, 17))


def _beyond(grid, draw, pairs, distance):
    """Move a note so that the upper voice of a pair is `distance` above the lower."""
    pair = pairs[draw.integers(len(pairs))]
    side = draw.integers(2)
    row = _pick(draw, _onsets(grid, pair[side]) & (grid[:, pair[1 - side]] > 0))
    if row is None:
        return None
    other = grid[row, pair[1 - side]]
    _set(grid, row, pair[side], other - distance if side else other + distance)
    return grid, row, pair


def _overlap(grid, draw):
    """Where a voice moves away from its neighbour, let that one follow past its last note."""
    pair = NEIGHBOURS[draw.integers(3)]
    side = draw.integers(2)
    mover, follower = pair[side], pair[1 - side]
    away = 1 if side == 0 else -1
    row = _pick(draw, _moves(grid, mover) & _moves(grid, follower))
    if row is None:
        return None
    room = (grid[row, mover] - grid[row - 1, mover]) * away
    if room < 1:
        return None
    _set(grid, row, follower, grid[row - 1, mover] + away * draw.integers(1, room + 1))
    return grid, row, pair


def _range(grid, draw):
    voice = int(draw.integers(4))
    row = _pick(draw, _onsets(grid, voice))
    low, high = RANGES[voice]
    excess = draw.integers(1, 4)
    # The nearer end: from there the voice gets back without another error.
    near_low = grid[row, voice] - low < high - grid[row, voice]
    _set(grid, row, voice, low - excess if near_low else high + excess)
    return grid, row, (voice,)


def _leap(grid, draw):
    voice = int(draw.integers(4))
    row = _pick(draw, _moves(grid, voice))
    size = draw.choice([6, 6, 10, 11, 13, 14, 15, 16]) * draw.choice([-1, 1])
    if row is None:
        return None
    _set(grid, row, voice, grid[row - 1, voice] + size)
    return grid, row, (voice,)


def _augmented_second(grid, draw):
    """Put the sixth degree before a leading note, or after it."""
    voice = int(draw.integers(4))
    row = _pick(draw, _moves(grid, voice))
    if row is None:
        return None
    leading, other = (row, row - 1) if draw.integers(2) else (row - 1, row)
    pitch = int(grid[leading, voice])
    if not leads(pitch, tuple(grid[leading].tolist())):
        return None
    _set(grid, other, voice, pitch - 3)
    return grid, row, (voice,)


def _leading_note(grid, draw):
    """Let the leading note go anywhere but to the tonic."""
    falls = np.isin(np.diff(grid[:, 3], prepend=0), (5, -7)) & _moves(grid, 3)
    resolutions = np.argwhere(falls[:, None] & (np.diff(grid[:, :3], axis=0, prepend=0) == 1))
    if len(resolutions) == 0:
        return None
    row, voice = draw.choice(resolutions).tolist()
    if not leads(int(grid[row - 1, voice]), tuple(grid[row - 1].tolist())):
        return None
    _set(grid, row, voice, grid[row, voice] + draw.choice([-9, -8, -5, 3, 4, 7]))
    return grid, row, (voice,)


def _struck_dissonance(grid, draw):
    pair = PAIRS[draw.integers(6)]
    beats = np.arange(len(grid)) % 4 == 0
    row = _pick(draw, beats & _onsets(grid, pair[0]) & _onsets(grid, pair[1]))
    if row is None:
        return None
    side = draw.integers(2)
    other = grid[row, pair[1 - side]]
    distance = draw.choice([1, 11, 13, 23])
    _set(grid, row, pair[side], other - distance if side else other + distance)
    return grid, row, pair


def _silence(grid, draw):
    """A rest of some rows inside a note, or instead of it."""
    voice = int(draw.integers(4))
    rows = np.flatnonzero(grid[:, voice])[1:-1]
    row = int(draw.choice(rows))
    end = min(row + draw.integers(1, 5), rows[-1] + 1)
    grid[row:end, voice] = 0
    return grid, row, (voice,)


def _set(grid, row, voice, pitch):
    """Change the pitch of the note of a voice that sounds in a row."""
    line = grid[:, voice]
    borders = np.flatnonzero(np.diff(line)) + 1
    start = borders[borders <= row].max(initial=0)
    end = borders[borders > row].min(initial=len(line))
    line[start:end] = pitch


def _onsets(grid, voice):
    """Where the notes of a voice begin."""
    line = grid[:, voice]
    return (line > 0) & (np.diff(line, prepend=0) != 0)


def _moves(grid, voice):
    """Where a voice goes from one note straight to another."""
    line = grid[:, voice]
    return _onsets(grid, voice) & (np.concatenate([[0], line[:-1]]) > 0)


def _pick(draw, rows):
    places = np.flatnonzero(rows)
    return int(draw.choice(places)) if len(places) else None


def _nearest(pitch, goal):
    """The pitch of the same name nearest to a goal."""
    return goal + (pitch - goal + 6) % 12 - 6


def _towards(pitch, origin, direction):
    """The nearest pitch of the same name above an origin, or below it."""
    steps = (pitch - origin) * direction % 12
    return origin + direction * (steps or 12)


PLANTERS = {
    "parallel fifths": _parallel,
    "parallel octaves": _parallel,
    "fifths by contrary motion": _parallel,
    "octaves by contrary motion": _parallel,
    "direct fifths": _direct,
    "direct octaves": _direct,
    "crossing": _crossing,
    "overlap": _overlap,
    "spacing": _spacing,
    "range": _range,
    "leap": _leap,
    "augmented second": _augmented_second,
    "unresolved leading note": _leading_note,
    "struck dissonance": _struck_dissonance,
    "silence inside": _silence,
}
ARGUMENTS = {
    "parallel fifths": (7, True),
    "parallel octaves": (0, True),
    "fifths by contrary motion": (7, False),
    "octaves by contrary motion": (0, False),
    "direct fifths": (7,),
    "direct octaves": (0,),
}
