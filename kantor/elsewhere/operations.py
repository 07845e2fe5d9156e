"""Hash the results of everything that makes bits of outputs, at the sizes of the default.

    python -m kantor.elsewhere.operations [--steps N] [group ...]

Prints a line of JSON for each result: its group, its name and its hash. For each network,
`row_gru` as params.yaml has it and `wavenet_lstm` as the notebook has it, these are N steps of
training, scores and samples. The group `control` comes last. It is expected to differ
between processors: an orthogonal matrix, after the sizes of the caches are released.
"""

import argparse
import hashlib
import io
import json
from collections.abc import Iterable, Iterator

import numpy as np
import soundfile
from scipy import signal

from kantor import chorale, params, plan, synth
from kantor.data import records
from kantor.data.records import Record
from kantor.elsewhere.recipes import NETWORKS
from kantor.elsewhere.verdict import CONTROL
from kantor.evaluation import likelihood
from kantor.network import model, recurrence
from kantor.report.page import FLAC, MP3
from kantor.sampling import composing, sampler
from kantor.system import caches
from kantor.system.runtime import keras, pin, tf
from kantor.training import examples, loop

Result = tuple[str, str, Iterable]  # group, name, and arrays

SAMPLES = (1, 4, 256)
ROWS = 16  # composed of each sample
PARTICLES = 8
PIECES = (128, 160, 192, 256, 320, 512)  # rows; chorales have about as many
STEPS = 3


def digest(arrays: Iterable) -> str:
    """A hash of the bytes of arrays, short enough to be read."""
    total = hashlib.sha256()
    for one in arrays:
        total.update(np.ascontiguousarray(one).tobytes())
    return total.hexdigest()[:12]


def control() -> Iterator[Result]:
    """What differs between processors: if it does not, none was posed as."""
    caches.release()
    keras.utils.set_random_seed(1)
    yield CONTROL, "QR", [keras.initializers.Orthogonal()((384, 1152))]


def of_numpy() -> Iterator[Result]:
    """What the project uses of numpy and scipy, as float32 and float64."""
    draw = _draw(1)
    for kind in (np.float32, np.float64):
        values = ((draw.random(20_000) - 0.5) * 16).astype(kind)
        positive = np.abs(values) + kind(1e-3)
        table = values.reshape(100, 200)
        functions = {
            "exp": np.exp(values),
            "sin": np.sin(values),
            "tanh": np.tanh(values),
            "log": np.log(positive),
            "sqrt": np.sqrt(positive),
            "power": 10 ** (-3 * positive),
            "sum": values.sum(),
            "sums of columns": table.sum(axis=0),
            "mean": positive.mean(),
            "std": values.std(),
            "cumsum": np.cumsum(values),
        }
        for name, result in functions.items():
            yield "numpy", f"{name}, {kind.__name__}", [result]
    yield "numpy", "normal", [draw.standard_normal(50_000)]
    yield "numpy", "oaconvolve", [signal.oaconvolve(values, values[:3000])]
    yield "numpy", "lfilter", [signal.lfilter([0.3], [1, -0.7], values)]


def sound() -> Iterator[Result]:
    """A piece as samples, and packed as the page has them."""
    rate = 44_100
    for timbre in synth.PARTIALS:
        samples = synth.synthesise(_grid(32, 2), 66.0, rate, 0.1, timbre)
        yield "sound", timbre, [samples]
        for name, options in {"FLAC": FLAC, "MP3": MP3}.items():
            file = io.BytesIO()
            whole = np.rint(samples * 32767).astype(np.int16)
            soundfile.write(file, whole, rate, **options)
            yield "sound", f"{timbre}, {name}", [np.frombuffer(file.getvalue(), np.uint8)]


def gru() -> Iterator[Result]:
    """The GRU by itself, forth and back, with inputs that leave nothing zero."""
    draw, units = _draw(3), 384
    shapes = {
        "inputs": (12, 64, 280),
        "kernel": (280, 3 * units),
        "recurrent": (units, 3 * units),
        "bias": (2, 3 * units),
    }
    inputs = [tf.constant(_small(draw, shape)) for shape in shapes.values()]
    upstream = tf.constant(_small(draw, (12, 64, units)))

    @tf.function(jit_compile=True)
    def both(*inputs):
        outputs = recurrence.gru(*inputs)
        return outputs, tf.gradients(outputs, inputs, grad_ys=upstream)

    outputs, gradients = both(*inputs)
    yield "gru", "states", [outputs]
    for name, gradient in zip(shapes, gradients, strict=True):
        yield "gru", f"gradient of {name}", [gradient]


def start() -> Iterator[Result]:
    """The first weights of each network."""
    for name, changes in NETWORKS.items():
        for weight in _fresh(params.load(changes=changes)).weights:
            yield "start", f"{name} {weight.path}", [weight]


def network(name: str, steps: int) -> Iterator[Result]:
    """A network trained for some steps, its predictions, their scores, and its samples."""
    settings = params.load(changes=NETWORKS[name])
    whole = _fresh(settings)
    yield from _training(name, model.parts(whole), settings.train, steps)
    yield from _scores(name, whole)
    for count in SAMPLES:
        requests = [sampler.Request(None, ROWS, n) for n in range(count)]
        yield f"{name} samples", f"{count}", composing.compose(whole, requests)
    few = params.SamplerOptions(particles=PARTICLES, penalty=1.0, guidance=0.5)
    ending = plan.regular(0, 0, ROWS, 0, [ROWS])
    selected = [sampler.Request(None, ROWS, n, few, ending) for n in range(PARTICLES)]
    yield f"{name} samples", "selected", composing.compose(whole, selected)


def _fresh(settings: params.Params) -> keras.Model:
    keras.utils.set_random_seed(settings.seed)
    return model.build(settings.model)


def _training(
    name: str, parts: model.Parts, settings: params.Train, steps: int
) -> Iterator[Result]:
    """The weights after each step, and the optimiser's state; the member keeps the last."""
    (member,) = parts.members
    pieces = _pieces()
    if settings.examples == "crops":
        source = examples.Crops(pieces, parts, settings.crops, settings.batch_size)
    else:
        source = examples.Windows(_windows(pieces), parts)
    batches = iter(loop.batches(source.epoch(_draw(5)), settings.batch_size).repeat())
    copy = loop.compiled(member, settings)
    for step in range(1, steps + 1):
        copy.train_on_batch(*next(batches))
        for weight in copy.weights:
            yield f"{name} step {step}", weight.path, [weight]
        for variable in copy.optimizer.variables:
            yield f"{name} optimiser", f"{variable.path} at step {step}", [variable]
    member.set_weights(copy.get_weights())


def _scores(name: str, whole: keras.Model) -> Iterator[Result]:
    """Losses of whole pieces and of windows, as the stage evaluate finds them."""
    pieces, predict = _pieces(), likelihood.model_predictor(whole)
    for protocol, parts in {"pieces": pieces, "windows": _windows(pieces)}.items():
        notes = likelihood.predictions(parts, predict)
        yield f"{name} scores", f"losses of {protocol}", [notes["loss"]]
        yield f"{name} scores", f"figures of {protocol}", [list(likelihood.figures(notes).values())]


def _draw(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def _small(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (draw.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(0.2)


def _grid(rows: int, seed: int) -> np.ndarray:
    """A made-up piece (rows, 4): notes of one to eight rows, each voice in its own range."""
    draw, lowest = _draw(seed), (64, 57, 52, 45)
    held = draw.integers(1, 9, (rows, 4))
    notes = draw.integers(lowest, [low + 12 for low in lowest], (rows, 4))
    return np.stack(
        [note.repeat(rows_held)[:rows] for note, rows_held in zip(notes.T, held.T, strict=True)], 1
    )


def _pieces() -> list[Record]:
    return [Record(chorale.encode(_grid(rows, n)), n, 0) for n, rows in enumerate(PIECES)]


def _windows(pieces: list[Record]) -> list[Record]:
    return [window for piece in pieces for window in records.windows(piece, 32, 16)]


OTHERS = {"numpy": of_numpy, "sound": sound, "gru": gru, "start": start, CONTROL: control}
GROUPS = (*NETWORKS, *OTHERS)


def results(groups: Iterable[str], steps: int) -> Iterator[Result]:
    """The results of the groups."""
    for group in groups:
        yield from network(group, steps) if group in NETWORKS else OTHERS[group]()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="group", default=GROUPS)
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    pin(params.load().threads)
    for group, name, arrays in results(arguments.groups, arguments.steps):
        print(json.dumps([group, name, digest(arrays)]), flush=True)


if __name__ == "__main__":
    main()
