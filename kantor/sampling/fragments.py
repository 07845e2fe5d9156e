"""Pieces of which some notes are there, and what the particle filter takes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kantor import chorale, plan
from kantor.chorale import SILENCE, VOICES
from kantor.params import SamplerOptions
from kantor.sampling.drawing import NONE
from kantor.system.errors import KantorError

UNKNOWN = -1  # in a cell of a grid: to be composed
BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))
FIRST = np.float32(-1)  # where the first particle is resampled, whatever the weights


@dataclass(frozen=True)
class Fragment:
    """A piece to complete.

    `grid` (rows, 4) has MIDI pitches and silences, and UNKNOWN where notes are to be composed. The
    draws start from `seed`, 0 or more. `plan` (rows, 6) asks for key, bars and phrases; see
    kantor.plan. KantorError tells of what is impossible.
    """

    grid: np.ndarray
    seed: int
    options: SamplerOptions = field(default_factory=SamplerOptions)
    plan: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.grid)
        if len(shape) != 2 or not shape[0] or shape[1] != len(VOICES):
            raise KantorError(f"a fragment of shape {shape}; expected a grid (rows, 4)")
        chorale.check(np.where(self.there, self.grid, SILENCE), "a fragment")
        if self.plan is not None and np.shape(self.plan) != (shape[0], plan.COLUMNS):
            raise KantorError(
                f"a plan of shape {np.shape(self.plan)}; expected {(shape[0], plan.COLUMNS)}"
            )
        if self.seed < 0:
            raise KantorError(f"a fragment with seed {self.seed}; expected 0 or more")

    @property
    def there(self) -> np.ndarray:
        """Which cells are not to be composed: bool (rows, 4)."""
        return np.asarray(self.grid) != UNKNOWN


def prepared(
    fragments: Sequence[Fragment],
    particles: int,
    rows: int,
    originals: Sequence[np.ndarray] | None,
) -> list[np.ndarray]:
    """What each row needs, the first dimension of all being `rows`: tokens (pieces, 4), NONE to be
    drawn; draws (pieces, 4); plans (pieces, 6); which notes are there (fragments, 4); whether the
    row belongs to the fragment (fragments,); where particles are resampled (fragments, particles).
    The pieces are the particles of all fragments, one fragment after the other.
    """
    count = len(fragments)
    tokens = np.full((count, particles, rows, len(VOICES)), NONE, np.int32)
    there = np.zeros((count, rows, len(VOICES)), bool)
    inside = np.zeros((count, rows), bool)
    draws = np.zeros(tokens.shape, np.float32)
    plans = np.full((count, particles, rows, plan.COLUMNS), plan.UNKNOWN, np.int32)
    places = np.zeros((count, rows, particles), np.float32)
    for number, fragment in enumerate(fragments):
        length = len(fragment.grid)
        there[number, :length], inside[number, :length] = fragment.there, True
        encoded = chorale.encode(np.where(fragment.there, fragment.grid, SILENCE))
        tokens[number, :, :length] = np.where(fragment.there, encoded, NONE)
        if fragment.plan is not None:
            plans[number, :, :length] = fragment.plan
        generator = np.random.Generator(np.random.Philox(fragment.seed))
        drawn = generator.random((length, particles, len(VOICES)), np.float32)
        draws[number, :, :length] = drawn.swapaxes(0, 1)
        if originals is None:
            # Systematic: one draw for all.
            drawn = (generator.random((length, 1)) + np.arange(particles)) / particles
        else:
            drawn = generator.random((length, particles))
            drawn[:, 0] = FIRST
            tokens[number, 0, :length] = chorale.encode(originals[number])
        places[number, :length] = np.minimum(drawn, BELOW_ONE)
    by_piece = [
        part.reshape(count * particles, rows, -1).swapaxes(0, 1) for part in (tokens, draws, plans)
    ]
    return [*by_piece, *(part.swapaxes(0, 1) for part in (there, inside, places))]
