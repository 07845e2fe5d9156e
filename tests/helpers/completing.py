"""A stand-in for the particle filter, which composes held chords at once."""

import numpy as np

from helpers.music import random_grid
from kantor.sampling.fragments import Fragment
from kantor.sampling.posterior import Particles


class FakeFilter:
    """Takes the place of `Filter`; `fragments` and `particles` are what was asked for."""

    def __init__(self) -> None:
        self.fragments: list[Fragment] = []
        self.particles = 0

    def __call__(self, model: object, particles: int) -> "FakeFilter":
        self.particles = particles
        return self

    def complete(self, fragments: list[Fragment]) -> list[Particles]:
        self.fragments += fragments
        return [self._particles(fragment) for fragment in fragments]

    def _particles(self, fragment: Fragment) -> Particles:
        rows = len(fragment.grid)
        drawn = np.stack([random_grid(rows, fragment.seed % 1000 + one) for one in range(4)])
        grids = np.where(fragment.there, fragment.grid, drawn)
        logs = -np.linspace(1, 2, 4) * rows * (1 + fragment.seed % 7)
        return Particles(grids, np.full(4, np.log(1 / 4)), logs, 0.0)
