"""What the same bits on every processor cost: a step of training, pinned and not, in turn.

    dvc repro preprocess && python -m benchmarks.same_bits

Without the pins XLA may use YNNPACK and XNNPACK, prefers the vectors that the processor does, and
Eigen cuts products by the caches of the processor; vectors end at AVX2 all the same. Each run is a
process of its own, since the pins hold for a whole process.
"""

import os
import statistics
import subprocess
import sys
import time

import numpy as np

from benchmarks import ours
from kantor import params
from kantor.data import records
from kantor.elsewhere.recipes import NETWORKS
from kantor.network import model
from kantor.system import caches, errors, runtime
from kantor.system.progress import Progress
from kantor.training import examples, loop

ROUNDS, WARM_UP, STEPS = 5, 10, 60
FREE = "KANTOR_BENCHMARK_FREE"  # tells a process to release the pins


def main() -> None:
    if len(sys.argv) > 1:
        print(step(sys.argv[1]))
        return
    with Progress("measure", ROUNDS * len(NETWORKS) * 2, "runs") as progress:
        for name in NETWORKS:
            seconds: dict[str, list[float]] = {"free": [], "pinned": []}
            for _ in range(ROUNDS):
                for kind, times in seconds.items():
                    command = [sys.executable, "-m", "benchmarks.same_bits", name]
                    variables = os.environ | ({FREE: "1"} if kind == "free" else {})
                    run = subprocess.run(command, env=variables, capture_output=True, text=True)
                    times.append(float(run.stdout))
                    progress.advance()
            ratios = [a / b for a, b in zip(seconds["pinned"], seconds["free"], strict=True)]
            free, pinned = (statistics.median(times) * 1000 for times in seconds.values())
            print(
                f"{name}: {free:.1f} ms a step free, {pinned:.1f} pinned, "
                f"{statistics.median(ratios):.2f} times"
            )


def step(name: str) -> float:
    """Seconds of a training step of a network of NETWORKS, median."""
    if os.environ.get(FREE):
        os.environ["XLA_FLAGS"] = "--xla_cpu_max_isa=AVX2"
    settings = params.load(changes=NETWORKS[name])
    runtime.pin(settings.threads)
    if os.environ.get(FREE):
        caches.release()
    parts = model.parts(model.build(settings.model))
    if settings.train.examples == "crops":
        source = ours.one_pass(parts, settings.train)
    else:
        windows = records.read(ours.PIECES.with_name("train_windows.tfrecord"))
        source = examples.Windows(list(windows), parts)
    drawn = source.epoch(np.random.Generator(np.random.Philox(1)))
    batches = iter(loop.batches(drawn, settings.train.batch_size).repeat())
    copy = loop.compiled(parts.members[0], settings.train)
    seconds = []
    for _ in range(WARM_UP + STEPS):
        batch = next(batches)
        started = time.perf_counter()
        copy.train_on_batch(*batch)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[WARM_UP:])


if __name__ == "__main__":
    errors.run(main)
