"""Composing any number of pieces, each as its options say.

With one particle a piece is drawn note by note. With more, so many are composed side by side, those
with faults give way to others, and one is drawn by weight; see kantor.sampling.posterior.
"""

from collections.abc import Sequence

import numpy as np

from kantor.chorale import VOICES
from kantor.sampling import needs, posterior
from kantor.sampling.fragments import UNKNOWN, Fragment
from kantor.sampling.needs import PIECES_AT_ONCE
from kantor.sampling.sampler import Request, Sampler, groups, seed_for
from kantor.system.runtime import keras

WHICH = 2  # with a piece's seed, a seed for which particle is drawn


def compose(model: keras.Model, requests: Sequence[Request]) -> list[np.ndarray]:
    """Compose any number of pieces; grids that begin with the prompts.

    KantorError says that the model is broken, or that this machine lacks the memory.
    """
    alike: dict[int, list[int]] = {}
    for number, request in enumerate(requests):
        alike.setdefault(request.options.particles, []).append(number)
    for particles, numbers in alike.items():
        longest = max(requests[number].all_rows for number in numbers)
        needs.check(len(numbers), longest, particles)
    grids: dict[int, np.ndarray] = {}
    for particles, numbers in alike.items():
        own = [requests[number] for number in numbers]
        composed = _drawn(model, own) if particles == 1 else _selected(model, own, particles)
        grids.update(zip(numbers, composed, strict=True))
    return [grids[number] for number in range(len(requests))]


def _drawn(model: keras.Model, requests: Sequence[Request]) -> list[np.ndarray]:
    sampler = Sampler(model)
    return [
        grid
        for group, filled in groups(requests, PIECES_AT_ONCE)
        for grid in sampler.compose(filled)[: len(group)]
    ]


def _selected(model: keras.Model, requests: Sequence[Request], particles: int) -> list[np.ndarray]:
    fragments = [_fragment(request) for request in requests]
    return [
        own.grids[own.drawn(seed_for(fragment.seed, WHICH))]
        for own, fragment in zip(
            posterior.complete(model, fragments, particles), fragments, strict=True
        )
    ]


def _fragment(request: Request) -> Fragment:
    grid = np.full((request.all_rows, len(VOICES)), UNKNOWN)
    if request.prompt is not None:
        grid[: request.prompt_rows] = request.prompt
    return Fragment(grid, request.seed, request.options, request.plan)
