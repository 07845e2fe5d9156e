"""Which notes of composed pieces are struck again, and so what is known of each row of them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from kantor import plan as plans
from kantor.chorale import SILENCE, runs
from kantor.details import NO_SIGNATURE, UNKNOWN, Details, settled
from kantor.network import strikes
from kantor.plan import BAR, MODE, PHRASE, PLACE, TONIC
from kantor.system.runtime import keras

OWN = 1  # with the piece's seed, a seed for the strikes: its notes were drawn from the other


class Asked(Protocol):
    """What a piece was composed after: a Request, or a Fragment."""

    seed: int
    plan: np.ndarray | None


def draw(
    network: keras.Model,
    grids: Sequence[np.ndarray],
    asked: Sequence[np.ndarray],
    seeds: Sequence[int],
    before: Sequence[np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Struck cells, int (rows, 4), of pieces: their grids (rows, 4), plans (rows, 6) and seeds, 0
    or more. `before` are the struck cells (n, 4) of the first n rows of each, -1 where they are to
    be drawn.

    A cell is drawn after those of the rows before and of the voices above it, by the piece's seed
    and its own place. A piece is the same in whatever company it is.
    """
    predict = strikes.predictor(network)
    starts = before or [None] * len(grids)
    return [_draw(predict, *piece) for piece in zip(grids, asked, seeds, starts, strict=True)]


def detailed(
    network: keras.Model | None,
    grids: Sequence[np.ndarray],
    requests: Sequence[Asked],
    before: np.ndarray | None = None,
) -> list[Details]:
    """The details of pieces that were composed after requests with plans; `before` are the struck
    cells (n, 4) of the first n rows of all, -1 where they are to be drawn. Without a network it is
    unknown what else is struck of the notes that stay.
    """
    asked = [request.plan for request in requests]
    starts = None if before is None else [before] * len(grids)
    if network is None:
        struck = [_begun(grid, before) for grid in grids]
    else:
        struck = draw(network, grids, asked, [request.seed for request in requests], starts)
    return [details(*piece) for piece in zip(grids, asked, struck, strict=True)]


def details(grid: np.ndarray, plan: np.ndarray, struck: np.ndarray) -> Details:
    """The details of a piece of this grid (rows, 4), plan (rows, 6) and struck cells (rows, 4).

    The note of the soprano that sounds in the last row of a phrase has a fermata. The signature is
    that of today's keys.
    """
    fermata = np.where(plan[:, PHRASE] == plans.UNKNOWN, UNKNOWN, 0)
    for begin, end in runs(grid[:, 0], struck[:, 0]):
        if grid[begin, 0] != SILENCE and (plan[begin:end, PHRASE] == 1).any():
            fermata[begin:end] = 1
    signature = [
        NO_SIGNATURE if plans.UNKNOWN in key else plans.sharps(*key)
        for key in plan[:, [TONIC, MODE]].tolist()
    ]
    # A place without its bar, or a bar without its place, tells nothing.
    bars = (plan[:, [BAR, PLACE]] != plans.UNKNOWN).all(axis=1)
    bar, place = (np.where(bars, plan[:, column], UNKNOWN) for column in (BAR, PLACE))
    return Details(bar, place, fermata, np.array(signature), struck)


def _begun(grid: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    """Struck cells of a grid (rows, 4) of which the first are told; see `draw`."""
    struck = np.full(grid.shape, UNKNOWN)
    if before is not None:
        struck[: len(before)] = before
    return settled(struck, grid)


def _draw(
    predict: Callable[[np.ndarray], np.ndarray],
    grid: np.ndarray,
    plan: np.ndarray,
    seed: int,
    before: np.ndarray | None,
) -> np.ndarray:
    struck = _begun(grid, before)
    open_cells = struck == UNKNOWN
    source = np.random.SeedSequence((seed, OWN))
    draws = np.random.Generator(np.random.Philox(source)).random(grid.shape)[open_cells]
    # All cells are drawn at once, again and again. Each time one cell more, at least, has only
    # right ones before it and is right itself; so what no longer changes is as if drawn in order.
    for _ in range(len(draws) + 1):
        numbers = strikes.features(grid, plan, struck)[open_cells]
        drawn = draws < predict(numbers)
        if np.array_equal(struck[open_cells], drawn):
            break
        struck[open_cells] = drawn
    return struck
