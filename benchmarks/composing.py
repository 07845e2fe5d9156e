"""Composing: our notes a second beside the notebook's loop, with the same model.

    dvc repro train && python -m benchmarks.composing

The notebook calls `model.predict` on the whole piece so far for every note. Both compose
greedily, 112 rows after each of five prompts of 16 rows, and it is told whether they come to
the same notes; ours then also composes 256 pieces at once, and again 256 whose key is told, which
spares reading them in all keys and in copies. `row_gru` is the trained model;
`wavenet_lstm` has fresh weights, since none is kept, and is as fast with them. Seconds are
without compiling, unless it says so; the prompts' rows are gone through, but not counted as
composed.
"""

import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import peak
from kantor import chorale, params, plan
from kantor.network import model, model_file
from kantor.params import SamplerOptions
from kantor.sampling import sampler
from kantor.system import errors, runtime
from kantor.system.progress import Progress
from kantor.system.runtime import keras

PROMPTS, PROMPT_ROWS, ROWS, MANY = 5, 16, 112, 256
NOTES = ROWS * len(chorale.VOICES)


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    most = peak.measured()
    print(f"a large matrix product: {most / 1e9:.0f} GFLOP/s with {settings.threads} threads")
    test = list(chorale.read_split(Path("data/chorales"), "test").values())
    prompts = [grid[:PROMPT_ROWS] for grid in test[:PROMPTS]]
    other = settings.model.model_copy(update={"architecture": "wavenet_lstm"})
    networks = {
        "row_gru": model_file.load(Path("models/chorale.keras")),
        "wavenet_lstm": model.build(other),
    }
    for name, network in networks.items():
        compare(name, network, prompts, most)


def compare(name: str, network: keras.Model, prompts: list[np.ndarray], most: float) -> None:
    """Print the figures of one model."""
    theirs, seconds = [], []
    with Progress(f"{name}, notebook", len(prompts), "pieces") as progress:
        for prompt in prompts:
            taken, grid = timed(lambda prompt=prompt: notebook(network, prompt))
            theirs.append(grid)
            seconds.append(taken)
            progress.advance()
    slow = NOTES / statistics.median(seconds)

    composer = sampler.Sampler(network)
    likeliest = SamplerOptions(temperature=0.0)
    greedy = [sampler.Request(prompt, ROWS, 0, likeliest) for prompt in prompts]
    first, _ = timed(lambda: composer.compose(greedy[:1]))
    ours = [timed(lambda request=request: composer.compose([request])) for request in greedy]
    same = all(np.array_equal(a, b[0]) for a, (_, b) in zip(theirs, ours, strict=True))
    one = NOTES / statistics.median(taken for taken, _ in ours)
    print(f"{name}: the notebook's loop {slow:.1f} notes a second; greedy notes the same: {same}")
    print(f"  one piece: {one:,.0f} notes a second, {one / slow:,.0f} times")
    print(f"  first call: {first:.1f} s, of which {first - NOTES / one:.1f} s to compile")

    drawn = [sampler.Request(prompts[i % len(prompts)], ROWS, i) for i in range(MANY)]
    in_c = plan.unknown(PROMPT_ROWS + ROWS)
    in_c[:, : plan.KEY_COLUMNS] = 0
    told = [replace(request, plan=in_c) for request in drawn]
    for kind, requests in {"": drawn, " in C major": told}.items():
        first, together = timed(lambda requests=requests: composer.compose(requests))
        (alone,) = composer.compose(requests[7:8])
        rounds = [timed(lambda requests=requests: composer.compose(requests)) for _ in range(5)]
        many = MANY * NOTES / statistics.median(taken for taken, _ in rounds)
        print(f"  {MANY} pieces{kind}: {many:,.0f} notes a second, {many / slow:,.0f} times")
        print(f"  first call: {first - MANY * NOTES / many:.1f} s to compile")
        print(f"  piece 7 of them composed alone: the same is {np.array_equal(alone, together[7])}")
    needed = peak.products(network) * many
    print(f"  products of the last ones: {needed / 1e9:.0f} GFLOP/s, {needed / most:.0%} of that")

    long = sampler.Request(prompts[0], 1008, 0)
    list(composer.stream([long]))
    seconds = [stream_seconds(composer, long) for _ in range(5)]
    at = {
        row: statistics.median(taken[row // sampler.ROWS_AT_ONCE] for taken in seconds)
        for row in (40, 1000)
    }
    notes = sampler.ROWS_AT_ONCE * len(chorale.VOICES)
    print("  a note at row 40, 1,000:", *(f"{s / notes * 1e6:.0f} µs" for s in at.values()))
    print(f"  the later one takes {at[1000] / at[40]:.2f} times as long")


def notebook(network: keras.Model, prompt: np.ndarray) -> np.ndarray:
    """The notebook's way: the whole piece so far for each note; a grid."""
    arpeggio = chorale.encode(prompt).reshape(1, -1)
    for _ in range(NOTES):
        following = network.predict(arpeggio, verbose=0)[:, -1:].argmax(axis=-1)
        arpeggio = np.concatenate([arpeggio, following], axis=1)
    return chorale.decode(arpeggio.reshape(-1, len(chorale.VOICES)))


def stream_seconds(composer: sampler.Sampler, request: sampler.Request) -> list[float]:
    """Seconds of each group of rows that comes together."""
    ends = [time.perf_counter()]
    ends += [time.perf_counter() for _ in composer.stream([request])]
    return np.diff(ends).tolist()


def timed(task) -> tuple[float, object]:
    """Seconds, and what the task gives."""
    started = time.perf_counter()
    result = task()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    errors.run(main)
