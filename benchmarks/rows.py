"""Rows a second in training the default setting, and how near that is to the machine's peak.

    dvc repro preprocess && python -m benchmarks.rows

Counted are whole passes: drawing the crops, and all steps; not the compiling before them.
Products with weights come three times in a step: forward, and backward for the inputs and for
the weights.
"""

import statistics

from benchmarks import ours, peak
from kantor import params
from kantor.chorale import VOICES
from kantor.network import model
from kantor.system import errors, runtime

ROUNDS = 5


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    most = peak.measured()
    network = model.build(settings.model)
    parts = model.parts(network)
    crops = ours.one_pass(parts, settings.train)
    _, epoch = ours.epochs(parts.members[0], crops, settings.train)
    epoch(0)
    seconds = statistics.median(epoch(number) for number in range(1, ROUNDS + 1))
    rows = crops.count * settings.train.crops.rows / seconds
    done = 3 * peak.products(network) * len(VOICES) * rows
    print(f"{rows:,.0f} rows a second, median of {ROUNDS} passes")
    print(f"its products: {done / 1e9:.0f} GFLOP/s; a large one: {most / 1e9:.0f} GFLOP/s")
    print(f"{done / most:.0%} of the peak with {settings.threads} threads")


if __name__ == "__main__":
    errors.run(main)
