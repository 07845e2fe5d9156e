"""One row composed after each of many places in real pieces: what a network does wrong by itself,
without the drift of what it composed before.
"""

from collections.abc import Sequence

import numpy as np

from kantor import chorale
from kantor.chorale import SILENCE
from kantor.data.records import Record
from kantor.judging import counterpoint
from kantor.params import Judge, SamplerOptions
from kantor.plan import TONIC, UNKNOWN
from kantor.sampling import composing, sampler
from kantor.system.runtime import keras

FIRST_ROW = 16  # there is something to go on from
MOVING = 2  # voices


def compare(
    model: keras.Model, pieces: Sequence[Record], settings: Judge
) -> dict[str, float | int]:
    """Of the rows that the model, told the plan, composes after real ones and in which two voices
    move, the share with parallels; and of Bach's at the same places. Only pieces count whose key is
    told: in all keys it would take several times as long.
    """
    pieces = [piece for piece in pieces if piece.plan[0, TONIC] != UNKNOWN]
    grids = [chorale.decode(piece.tokens) for piece in pieces]
    where = places(grids, settings.places, settings.rows, settings.seed)
    plans = [piece.plan for piece in pieces]
    composed = compose(model, grids, plans, where, settings.plain, settings.seed)
    original = [grids[number][row - 1 : row + 1] for number, row in where]
    result: dict[str, float | int] = {}
    for name, pairs in {"parallels": composed, "bach": original}.items():
        wrong, moved = with_parallels(pairs)
        result |= {name: round(wrong / max(moved, 1), 4), f"{name}_rows": moved}
    return result


def places(pieces: Sequence[np.ndarray], count: int, longest: int, seed: int) -> np.ndarray:
    """Piece and row (n, 2) of up to `count` places in grids (rows, 4), drawn from all rows below
    `longest` in which two voices or more move, by piece and row.
    """
    candidates = [
        (number, row)
        for number, piece in enumerate(pieces)
        for row in range(FIRST_ROW, min(len(piece), longest))
        if moving(piece[row - 1 : row + 1])
    ]
    draw = np.random.Generator(np.random.Philox(seed))
    drawn = draw.permutation(len(candidates))[:count]
    return np.array([candidates[place] for place in sorted(drawn)], np.int64).reshape(-1, 2)


def compose(
    model: keras.Model,
    pieces: Sequence[np.ndarray],
    plans: Sequence[np.ndarray],
    where: np.ndarray,
    options: SamplerOptions,
    seed: int,
) -> np.ndarray:
    """The rows (n, 2, 4) before each of the places (n, 2) and composed there, after the plans
    (rows, 6) of the pieces.
    """
    # By length, so that those composed side by side are about as long.
    order = np.argsort(where[:, 1], kind="stable")
    requests = [
        sampler.Request(
            pieces[number][:row],
            1,
            sampler.seed_for(seed, number, row),
            options,
            plans[number][: row + 1],
        )
        for number, row in where[order].tolist()
    ]
    composed = np.empty((len(where), 2, 4), np.int64)
    for place, grid in zip(order, composing.compose(model, requests), strict=True):
        composed[place] = grid[-2:]
    return composed


def with_parallels(pairs: Sequence[np.ndarray]) -> tuple[int, int]:
    """Of pairs of rows (2, 4), how many have parallel fifths or octaves, and in how many two
    voices or more move.
    """
    moved = [pair for pair in pairs if moving(pair)]
    wrong = sum(counterpoint.counts(pair)["parallels"][0] > 0 for pair in moved)
    return wrong, len(moved)


def moving(pair: np.ndarray) -> bool:
    """Whether two voices or more go from pitch to pitch in two rows (2, 4)."""
    return bool(((pair[0] != pair[1]) & (pair != SILENCE).all(0)).sum() >= MOVING)
