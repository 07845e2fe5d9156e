"""Different completions of one piece, the likeliest first, and what is known of their rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kantor.chorale import SILENCE
from kantor.details import NO_SIGNATURE, UNKNOWN, Details
from kantor.sampling import needs, strikes
from kantor.sampling.composing import WHICH
from kantor.sampling.fragments import Fragment
from kantor.sampling.posterior import Filter
from kantor.sampling.sampler import seed_for
from kantor.system.runtime import keras

TRIES = 8  # of filters, to find notes that no completion has yet


class Completion(NamedTuple):
    """A grid (rows, 4), the fragment that it completes, whose seed is its own, and how likely all
    its notes are: -ln of their probability as the model predicts them, in nats a note.
    """

    grid: np.ndarray
    fragment: Fragment
    nats: float

    def moved(self, semitones: int, plan: np.ndarray) -> "Completion":
        """The same so much higher, after a plan (rows, 6) that is as much higher."""
        return self._replace(
            grid=np.where(self.grid == SILENCE, SILENCE, self.grid + semitones),
            fragment=replace(self.fragment, plan=plan),
        )


def different(particle_filter: Filter, fragment: Fragment, count: int) -> list[Completion]:
    """Complete a fragment `count` times, in different ways; the likeliest comes first.

    Each completion is drawn by weight from a filter of its own. One whose notes are those of
    another is drawn anew, from a further filter. If none of some tries finds other notes, there are
    fewer completions.

    KantorError says that the notes can't be reached, that the model is broken, or that this machine
    lacks the memory.
    """
    needs.check(count, len(fragment.grid), particle_filter.particles)
    completions: dict[bytes, Completion] = {}
    for number in range(count):
        for names in [(number,), *((number, attempt) for attempt in range(1, TRIES))]:
            own = replace(fragment, seed=seed_for(fragment.seed, *names))
            completion = _completion(particle_filter, own)
            notes = completion.grid.tobytes()
            if notes not in completions:
                completions[notes] = completion
                break
        else:
            break
    return sorted(completions.values(), key=lambda completion: completion.nats)


def detailed(
    network: keras.Model | None, completions: Sequence[Completion], told: Details
) -> list[Details]:
    """The details of completions of one fragment.

    Of the notes that are there, `told` says which are struck and have fermatas, as far as it does;
    and of all rows the signature. The rest is as in composed pieces: see
    kantor.sampling.strikes.detailed.
    """
    there = completions[0].fragment.there
    struck = np.where(there, told.struck, UNKNOWN)
    tells_fermatas = (told.fermata == 1).any()
    fermata = np.where(there[:, 0] & tells_fermatas, told.fermata, UNKNOWN)
    grids, fragments, _ = zip(*completions, strict=True)
    return [
        own._replace(
            fermata=np.where(fermata == UNKNOWN, own.fermata, fermata),
            signature=np.where(told.signature == NO_SIGNATURE, own.signature, told.signature),
        )
        for own in strikes.detailed(network, grids, fragments, struck)
    ]


def _completion(particle_filter: Filter, fragment: Fragment) -> Completion:
    (particles,) = particle_filter.complete([fragment])
    number = particles.drawn(seed_for(fragment.seed, WHICH))
    grid = particles.grids[number]
    if not np.array_equal(grid[fragment.there], fragment.grid[fragment.there]):
        raise AssertionError("a note that was there was changed")
    return Completion(grid, fragment, float(-particles.log_probabilities[number] / grid.size))
