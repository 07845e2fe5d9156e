"""The rules of counterpoint once more, note by note in plain Python, to hold the fast ones to."""

from collections.abc import Iterable
from functools import cache
from itertools import combinations, pairwise

import numpy as np

RANGES = ((60, 79), (55, 73), (50, 69), (36, 62))
TRIADS = {
    (0, 4, 7): "major",
    (0, 4): "major",
    (0, 7): "major",
    (0, 3, 7): "minor",
    (0, 3): "minor",
    (0, 3, 6): "diminished",
    (0, 4, 7, 10): "dominant",
    (0, 4, 10): "dominant",
}


def by_hand(
    grid: np.ndarray, places: Iterable[int] | None = None
) -> set[tuple[str, int, tuple[int, ...]]]:
    """Kind, row and voices of every error in a grid (rows, 4), or of those in some rows."""
    rows = [tuple(row) for row in np.asarray(grid).tolist()]
    places = list(range(len(rows)) if places is None else places)
    errors = {error for error in _silences(rows) if error[1] in places}
    for place in places:
        now, last = rows[place], rows[place - 1] if place else (0, 0, 0, 0)
        errors |= {(kind, place, voices) for kind, voices in _standing(place, last, now)}
        errors |= {(kind, place, voices) for kind, voices in _moving(last, now)}
        if place:
            errors |= {(kind, place, voices) for kind, voices in _harmonic(rows, place)}
    return errors


def _standing(place, last, now):
    for voice in range(4):
        low, high = RANGES[voice]
        if now[voice] and now[voice] != last[voice] and not low <= now[voice] <= high:
            yield "range", (voice,)
    for pair in ((0, 1), (1, 2), (2, 3)):
        if _crossed(now, pair) and not _crossed(last, pair):
            yield "crossing", pair
        if pair != (2, 3) and _wide(now, pair) and not _wide(last, pair):
            yield "spacing", pair
    for pair in combinations(range(4), 2):
        new = all(now[voice] and now[voice] != last[voice] for voice in pair)
        if place % 4 == 0 and new and _class(now, pair) in (1, 11):
            yield "struck dissonance", pair


def _moving(last, now):
    step = [b - a if a and b else 0 for a, b in zip(last, now, strict=True)]
    for voice in range(4):
        if abs(step[voice]) in (6, 10, 11) or abs(step[voice]) > 12:
            yield "leap", (voice,)
    for pair in combinations(range(4), 2):
        upper, lower = pair
        if step[upper] and step[lower]:
            together = step[upper] * step[lower] > 0
            for number, name in ((7, "fifths"), (0, "octaves")):
                first, second = _class(last, pair) == number, _class(now, pair) == number
                if first and second:
                    yield f"parallel {name}" if together else f"{name} by contrary motion", pair
                elif second and together and pair == (0, 3) and abs(step[0]) > 2:
                    yield f"direct {name}", pair
        sounding = last[upper] and last[lower] and now[upper] and now[lower]
        crossed = _crossed(last, pair) or _crossed(now, pair)
        passes = now[lower] > last[upper] or now[upper] < last[lower]
        if lower == upper + 1 and sounding and not crossed and passes:
            yield "overlap", pair


def _harmonic(rows, place):
    last, now = rows[place - 1], rows[place]
    (kind_before, root_before), (kind, root) = _chord(last), _chord(now)
    for voice in range(4):
        a, b = last[voice], now[voice]
        upper, lower = ((b, now), (a, last)) if b > a else ((a, last), (b, now))
        third = a and b and upper[0] - lower[0] == 3
        if third and leads(*upper) and not leads(*lower):
            yield "augmented second", (voice,)
    falls = last[3] and now[3] and now[3] - last[3] in (5, -7)
    based = min(filter(None, last), default=0) % 12 == root_before
    based = based and min(filter(None, now), default=0) % 12 == root
    authentic = kind_before in ("major", "dominant") and kind in ("major", "minor")
    if not (falls and based and authentic and (root_before + 5) % 12 == root):
        return
    around = [p % 12 for row in rows[max(place - 16, 0) : place + 16] for p in row if p]
    in_key = around.count((root + 5) % 12) > around.count((root + 6) % 12)
    if kind_before == "dominant" or kind == "minor" or in_key:
        for voice in range(3):
            a, b = last[voice], now[voice]
            fine = (1, -4, 0) if voice else (1, 0)
            if a and b and a % 12 == (root - 1) % 12 and b - a not in fine:
                yield "unresolved leading note", (voice,)


def _silences(rows):
    for voice in range(4):
        sounding = [place for place, row in enumerate(rows) if row[voice]]
        for one, following in pairwise(sounding):
            if following > one + 1:
                yield "silence inside", one + 1, (voice,)


def _crossed(row, pair):
    return 0 < row[pair[0]] < row[pair[1]]


def _wide(row, pair):
    return row[pair[1]] > 0 and row[pair[0]] > row[pair[1]] + 12


def _class(row, pair):
    return (max(row[v] for v in pair) - min(row[v] for v in pair)) % 12


@cache
def _chord(row):
    for root in range(12):
        shape = tuple(sorted({(pitch - root) % 12 for pitch in row if pitch}))
        if shape in TRIADS:
            return TRIADS[shape], root
    return "none", None


def leads(pitch: int, row: tuple[int, ...]) -> bool:
    """Whether a note of a row is the third of a dominant, or the root of a diminished triad."""
    kind, root = _chord(row)
    if root is None:
        return False
    degree = (pitch - root) % 12
    return degree == (0 if kind == "diminished" else 4) and kind != "minor"
