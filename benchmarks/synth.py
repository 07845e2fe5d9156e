"""How many times faster than real time the synthesiser plays.

    dvc repro download && python -m benchmarks.synth

The notebook's manages 335 times real time on 2 cores, as measured for this project.
"""

import statistics
import time
from pathlib import Path

import numpy as np

from kantor import chorale, synth
from kantor.system import errors

ROUNDS = 9


def main() -> None:
    grids = list(chorale.read_split(Path("data/chorales"), "train").values())[:5]
    grid = np.concatenate(grids)
    for timbre in synth.PARTIALS:
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            sound = synth.synthesise(grid, tempo=40, rate=44100, amplitude=0.1, timbre=timbre)
            seconds.append(time.perf_counter() - started)
        lasts = len(sound) / 44100
        print(f"{timbre:6} {lasts / statistics.median(seconds):6.0f} times real time")


if __name__ == "__main__":
    errors.run(main)
