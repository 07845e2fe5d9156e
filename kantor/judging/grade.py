"""How far a piece is from Bach, in nine features at once: less is better.

After Fang, Liu, Seetharaman and Pardo, "Bach or Mock? A Grading Function for Chorales in the Style
of J. S. Bach" (2020, arXiv 2006.13329). A feature is how often a piece has each of some categories,
such as the durations of notes. Its distance is the Wasserstein distance to how often Bach has them,
where the categories stand in a row, one apart, his commonest first; lengths stand in their own
order, in sixteenths. The grade is the sum of the
nine distances, unweighted. For Bach's chorales the paper has a median of 4.91 and a standard
deviation of 1.63.

It departs from the paper in what a grid doesn't tell, or where the paper's rule is blind:

- the paper puts lengths in a row by how common they are, too, so that a note of 15 rows is as far
  from one of 16 as from one of 1;
- a grid has no spelling, so notes are semitones above the tonic, and intervals are semitones;
- it has no repeated notes, so neither rhythms nor intervals have them;
- harmony is the chord on each beat, in any transposition and inversion; the paper names all chords,
  passing ones too, by a dictionary that leaves many without a name;
- the paper multiplies how many parallels there are by how unlike Bach's the shares of fifths and
  octaves are, so a piece full of both comes off well. Here the distance is simply that of their
  number among 100 notes;
- the lengths of repeated sequences count each pair of places that are the same, of all voices;
- what Bach never has stands in one place, just beyond his rarest, whatever it is.

Where a piece has nothing of a feature, as a voice that never moves has no intervals, all of it
counts as Bach's commonest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOICES, runs
from kantor.judging import key, repeats
from kantor.system.errors import KantorError

PARALLELS = "parallels"
FEATURES = ("notes", "rhythm", PARALLELS, "harmony", *VOICES, "repeats")
# Minor and major differ in these.
BY_MODE = ("notes", "harmony", *VOICES)

LENGTHS = ("rhythm", "repeats")
# Longer ones are as rare as these.
LONGEST_NOTE, LONGEST_REPEAT = 64, 256
# Of no interval between pitches of the vocabulary is the size larger.
LARGEST_INTERVAL = 45
REST = key.PITCH_CLASSES
PARALLEL_INTERVALS = (0, 7)


@dataclass(frozen=True)
class Profile:
    """What of a piece is compared: counts by feature, a line of categories each; the share of
    parallels in its notes; and whether its key is minor.
    """

    counts: dict[str, np.ndarray]
    parallels: float
    minor: bool


@dataclass(frozen=True)
class Reference:
    """Bach's side: by feature and mode (minor is True), how often each category comes and where it
    stands; and the share of parallels in his notes.
    """

    shares: dict[tuple[str, bool], np.ndarray]
    places: dict[tuple[str, bool], np.ndarray]
    parallels: float

    @classmethod
    def fit(cls, grids: Sequence[np.ndarray]) -> "Reference":
        """Count in `grids` (rows, 4), which should be the training split.

        Raises KantorError if there are none. A mode that no grid has is compared with the other.
        """
        if not grids:
            raise KantorError("no chorales to compare with; expected the training split")
        profiles = [profile(grid) for grid in grids]
        shares, places = {}, {}
        for name in FEATURES:
            if name == PARALLELS:
                continue
            for minor in (False, True):
                alike = [p for p in profiles if name not in BY_MODE or p.minor == minor]
                total = np.sum([p.counts[name] for p in alike or profiles], axis=0)
                ordered = np.arange(len(total))
                places[name, minor] = order = ordered if name in LENGTHS else _places(total)
                shares[name, minor] = _shares(total, order)
        return cls(shares, places, float(np.mean([p.parallels for p in profiles])))

    def features(self, grid: np.ndarray) -> dict[str, float]:
        """The nine distances of a grid (rows, 4), in categories; of parallels in 100 notes."""
        own = profile(grid)
        distances = {}
        for name in FEATURES:
            if name == PARALLELS:
                distances[name] = 100 * abs(own.parallels - self.parallels)
            else:
                at = name, own.minor
                shares = _shares(own.counts[name], self.places[at])
                distances[name] = float(np.abs((shares - self.shares[at]).cumsum()).sum())
        return distances

    def grade(self, grid: np.ndarray) -> float:
        """The grade of a grid (rows, 4), the sum of its nine distances: less is better."""
        return sum(self.features(grid).values())


def profile(grid: np.ndarray) -> Profile:
    """What of a grid (rows, 4) is compared."""
    tonic, minor = key.piece_key(grid)
    degrees = np.where(grid == SILENCE, REST, (grid - tonic) % key.PITCH_CLASSES)
    counts = {
        "notes": np.bincount(degrees.reshape(-1), minlength=REST + 1),
        "harmony": _harmony(grid[::ROWS_PER_QUARTER]),
    }
    durations, sequences = [], []
    for name, voice in zip(VOICES, grid.T, strict=True):
        bounds = np.array(runs(voice))
        notes = bounds[voice[bounds[:, 0]] != SILENCE]
        durations.append(notes[:, 1] - notes[:, 0])
        sequences.append(repeats.lengths(voice))
        steps = np.diff(voice[notes[:, 0]])
        counts[name] = np.bincount(steps + LARGEST_INTERVAL, minlength=2 * LARGEST_INTERVAL + 1)
    counts["rhythm"] = _lengths(durations, LONGEST_NOTE)
    counts["repeats"] = _lengths(sequences, LONGEST_REPEAT)
    return Profile(counts, parallels(grid) / max(int(counts["rhythm"].sum()), 1), minor)


def parallels(grid: np.ndarray) -> int:
    """How many parallel fifths, octaves and unisons a grid (rows, 4) has: two voices move at once,
    in one direction, from such an interval to the same, octaves apart or not.
    """
    # Silence moves nowhere, so it is never part of a parallel.
    sounding = (grid[1:] != SILENCE) & (grid[:-1] != SILENCE)
    moves = np.where(sounding, np.sign(np.diff(grid, axis=0)), 0)
    number = 0
    for upper, lower in combinations(range(len(VOICES)), 2):
        intervals = (grid[:, upper] - grid[:, lower]) % key.PITCH_CLASSES
        together = moves[:, upper] * moves[:, lower] > 0
        same = (intervals[1:] == intervals[:-1]) & np.isin(intervals[1:], PARALLEL_INTERVALS)
        number += int((together & same).sum())
    return number


def _smallest_rotations() -> np.ndarray:
    """For each set of pitch classes, as bits, the smallest of its transpositions (4096,)."""
    sets = np.arange(1 << key.PITCH_CLASSES)
    rotations = [
        (sets << step | sets >> (key.PITCH_CLASSES - step)) % len(sets)
        for step in range(key.PITCH_CLASSES)
    ]
    return np.min(rotations, axis=0)


QUALITIES = _smallest_rotations()


def _harmony(chords: np.ndarray) -> np.ndarray:
    """How many of the chords (n, 4) have each quality (4096,): each set of pitch classes in any
    transposition.
    """
    bits = np.where(chords == SILENCE, 0, 1 << chords % key.PITCH_CLASSES)
    qualities = QUALITIES[np.bitwise_or.reduce(bits, axis=1)]
    return np.bincount(qualities, minlength=len(QUALITIES))


def _lengths(parts: list[np.ndarray], longest: int) -> np.ndarray:
    return np.bincount(np.minimum(np.concatenate(parts), longest), minlength=longest + 1)


def _places(counts: np.ndarray) -> np.ndarray:
    """Where each category stands: the commonest at 0; what there is none of in one last place."""
    places = np.empty(len(counts), np.int64)
    places[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.where(counts > 0, places, (counts > 0).sum())


def _shares(counts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The shares of the places, in order, in all counts; all of it at the first if there are
    none.
    """
    shares = np.bincount(places, counts, minlength=int(places.max()) + 1)
    total = counts.sum()
    if not total:
        shares[0] = total = 1
    return shares / total
