"""Completing: how near its completions come to Bach, how musical they are, and how fast.

    dvc repro evaluate && python -m benchmarks.completing near --particles 64
    dvc repro evaluate && python -m benchmarks.completing music
    dvc repro train && python -m benchmarks.completing fast

`near`: nats a note of Bach's notes, which are left out, once those that are there are known. A
filter gives no less than that on average if Bach's piece is among its particles, and no more if it
isn't: the truth lies between. Beside it stands the share of Bach's notes that 16 completions hit,
on average and the best.

`music`: a completion to each soprano, as `completion` in params.yaml says, judged beside Bach's own
setting.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import changes
from benchmarks.composing import timed
from kantor import chorale, params
from kantor.chorale import VOICES
from kantor.data import plans
from kantor.judging import figures
from kantor.judging.grade import Reference
from kantor.network import model_file
from kantor.params import SamplerOptions
from kantor.sampling import sampler
from kantor.sampling.fragments import UNKNOWN, Fragment
from kantor.sampling.posterior import Filter
from kantor.system import errors, runtime

CHORALES = Path("data/chorales")
MODEL = Path("models/chorale.keras")
AT_ONCE = 2048  # particles of all fragments side by side
GAP = 32  # rows: eight quarters
DRAWN = 16
FIGURES = ("parallels", "struck_semitones", "triads", "bar_phase", "proper_ends", "grade")
SECONDS = {"8 bars": 128, "16 bars": 256}


class Original(NamedTuple):
    """A chorale of Bach's (rows, 4) and its plan (rows, 6)."""

    grid: np.ndarray
    plan: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("near", "music", "fast"))
    parser.add_argument("--split", default="test", choices=("valid", "test"))
    parser.add_argument("--pieces", type=int, help="the first so many")
    parser.add_argument("--particles", type=int)
    parser.add_argument("--left-out", nargs="*", choices=LEFT_OUT, default=[*LEFT_OUT])
    changes.add(parser)
    arguments = parser.parse_args()
    settings = params.load(changes=changes.read(arguments.set))
    runtime.pin(settings.threads)
    particles = arguments.particles or settings.completion.particles
    completing = Filter(model_file.load(MODEL), particles)
    grids = chorale.read_split(CHORALES, arguments.split).values()
    both = zip(grids, plans.read(CHORALES, arguments.split), strict=True)
    originals = [Original(*pair) for pair in both][: arguments.pieces]
    print(f"{len(originals)} pieces of {arguments.split}, {particles} particles")
    if arguments.what == "near":
        near(completing, originals, particles, arguments.left_out)
    elif arguments.what == "music":
        music(completing, originals, particles, settings.completion)
    else:
        fast(completing, originals[0], particles)


def near(
    completing: Filter, originals: list[Original], particles: int, left_out: list[str]
) -> None:
    """Print the bounds and the hits, a line for each way to leave notes out."""
    totals = {name: [] for name in left_out}
    hits = {name: [] for name in left_out}
    for group in grouped(originals, particles):
        for name in left_out:
            fragments = [fragment(original, LEFT_OUT[name]) for original in group]
            grids = [original.grid for original in group]
            free = completing.complete(fragments)
            tied = completing.complete(fragments, grids)
            for own, below, above, original in zip(fragments, free, tied, group, strict=True):
                whole = -float(above.log_probabilities[0])
                missing = ~own.there
                totals[name].append([whole + below.evidence, whole + above.evidence, missing.sum()])
                some = [below.grids[below.drawn(seed)] for seed in range(DRAWN)]
                kept = [grid[own.there] == original.grid[own.there] for grid in some]
                assert np.all(kept), "a note that was there was changed"
                same = np.array(some) == original.grid
                by_voice = (same & missing).sum(axis=1) / np.maximum(missing.sum(axis=0), 1)
                hits[name].append([same[:, missing].mean(axis=1), *by_voice.T])
    print("left out: at least, at most, nats a note; hits of 16, mean and best; by voice, S A T B")
    for name in left_out:
        below, above, count = np.sum(totals[name], axis=0)
        shares = np.array(hits[name])
        pairs = zip(shares.mean(axis=(0, 2)), shares.max(axis=2).mean(axis=0), strict=True)
        print(
            f"{name}: {below / count:.4f}, {above / count:.4f}; "
            + "; ".join(f"{mean:.1%}, {best:.1%}" if best else "–" for mean, best in pairs),
            flush=True,
        )


def music(
    completing: Filter, originals: list[Original], particles: int, options: SamplerOptions
) -> None:
    """Print figures of the judge, of Bach's settings and of ours to the same sopranos."""
    train = list(chorale.read_split(CHORALES, "train").values())
    reference = Reference.fit(train)
    sets = {"bach": [original.grid for original in originals], "ours": []}
    for group in grouped(originals, particles):
        fragments = [fragment(original, LEFT_OUT["lower voices"], options) for original in group]
        for own, particle in zip(fragments, completing.complete(fragments), strict=True):
            sets["ours"].append(particle.grids[particle.drawn(own.seed)])
    for name, grids in sets.items():
        measured = figures.measure(grids, [True] * len(grids), reference, train).figures()
        print(name, *(f"{figure} {measured[figure]:.3f}" for figure in FIGURES), sep=", ")


def fast(completing: Filter, original: Original, particles: int) -> None:
    """Print seconds for a soprano, and those of the plain sampler for as many pieces."""
    composer = sampler.Sampler(model_file.load(MODEL))
    for name, rows in SECONDS.items():
        grid, plan = (np.resize(part, (rows, part.shape[1])) for part in original)
        own = fragment(Original(grid, plan), LEFT_OUT["lower voices"])
        requests = [sampler.Request(None, rows, seed, plan=plan) for seed in range(particles)]
        tasks = {
            "completing": lambda own=own: completing.complete([own]),
            "the sampler": lambda requests=requests: composer.compose(requests),
        }
        for task, call in tasks.items():
            first, *later = [timed(call)[0] for _ in range(6)]
            second = float(np.median(later))
            print(f"{name}, {task}: {second:.2f} s, and {first - second:.0f} s to compile")


def voices(*kept: str) -> Callable[[int], np.ndarray]:
    """Some voices are there and no other."""
    columns = [VOICES.index(voice) for voice in kept]

    def there(rows: int) -> np.ndarray:
        mask = np.zeros((rows, len(VOICES)), bool)
        mask[:, columns] = True
        return mask

    return there


def around_a_gap(rows: int) -> np.ndarray:
    mask = np.ones((rows, len(VOICES)), bool)
    mask[rows // 2 : rows // 2 + GAP] = False
    return mask


# Which cells (rows, 4) are there, of so many rows.
LEFT_OUT = {
    "lower voices": voices("soprano"),
    "upper voices": voices("bass"),
    "inner voices": voices("soprano", "bass"),
    "eight quarters": around_a_gap,
}


def fragment(original: Original, there, options: SamplerOptions | None = None) -> Fragment:
    """What is there of a piece."""
    mask = there(len(original.grid))
    grid = np.where(mask, original.grid, UNKNOWN)
    return Fragment(grid, len(grid), options or SamplerOptions(), original.plan)


def grouped(originals: list[Original], particles: int) -> Iterator[list[Original]]:
    """Groups of about as long ones, as few groups as may be: each is compiled."""
    count = max(1, AT_ONCE // particles)
    by_length = sorted(originals, key=lambda original: len(original.grid))
    for first in range(0, len(by_length), count):
        yield by_length[first : first + count]


if __name__ == "__main__":
    errors.run(main)
