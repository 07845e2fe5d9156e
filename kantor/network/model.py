"""Models: settings to a Keras model, and a Keras model to its parts.

Every model takes an arpeggio of tokens, int (batch, notes), any number of notes, and gives
softmax probabilities, float32 (batch, notes, 47): place i predicts note i + 1 from the notes
up to i, and from no later one. It is made of stock Keras layers alone, so that its file loads
where nothing of this project is at hand. A network that reads a plan (kantor.plan) is told of
none there, and its probabilities are a mean over all keys and over copies of the piece, some
semitones higher and lower (kantor.network.mixture); `planned` gives the model that takes one.

Inside are one or more networks of one architecture, its *members*, trained one after the other.
What is predicted, in each key and for each copy, is the geometric mean of theirs (Hinton, "Training
Products of Experts by Minimizing Contrastive Divergence", Neural Computation 14, 2002).
"""

from typing import Literal, NamedTuple

from kantor import params
from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.network import lookback, mixture, registry
from kantor.network.architecture import MEMBER
from kantor.plan import COLUMNS, KEY_COLUMNS, UNKNOWN
from kantor.system.errors import KantorError
from kantor.system.runtime import keras

layers, ops = keras.layers, keras.ops

LOOKBACK = "lookback"


class Parts(NamedTuple):
    """A model in parts: what a step of its members is, the part that gives hints for their
    rows, if they take such, the members, and whether these take a plan. The weights are the
    model's own.
    """

    steps: Literal["notes", "rows"]
    lookback: keras.Model | None
    members: list[keras.Model]
    plan: bool = False


def build(settings: params.Model) -> keras.Model:
    """The model that `settings` describe, with fresh weights from Keras's random state.

    It is compiled with the notebook's loss and optimiser, for whoever loads its file and
    calls `evaluate` or `fit` on it.
    """
    architecture, block = registry.configured(settings)
    members = [architecture.member(block, n + 1) for n in range(settings.members)]

    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    looking_back = lookback.model(LOOKBACK) if architecture.lookback else None
    in_parts = Parts(architecture.steps, looking_back, members, architecture.plan)
    if architecture.steps == "notes":
        probabilities = _predicted(in_parts, arpeggio)
    else:
        probabilities = _predicted(in_parts, rows_of(arpeggio))
        probabilities = _note_by_note(arpeggio, probabilities)
    network = keras.Model(arpeggio, probabilities, name=architecture.name)
    # Otherwise Keras counts the optimisers of a process, and writes that into the file.
    optimizer = keras.optimizers.Nadam(name="nadam")
    network.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def parts(network: keras.Model) -> Parts:
    """The parts of a model that was built here, whose name is its architecture's.

    Any other is taken for a network of notes that is its own only member. KantorError tells of
    one that was built by an earlier version.
    """
    architecture = registry.ARCHITECTURES.get(network.name)
    if not architecture:
        return Parts("notes", None, [network])
    named = {layer.name: layer for layer in network.layers}
    members = [layer for name, layer in named.items() if name.startswith(MEMBER)]
    expected = {LOOKBACK: architecture.lookback, mixture.MIXTURE: architecture.plan}
    if not members or any((name in named) != needed for name, needed in expected.items()):
        raise KantorError(f"{network.name}: made by an earlier version; run `dvc repro train`")
    return Parts(architecture.steps, named.get(LOOKBACK), members, architecture.plan)


def finish(network: keras.Model, settings: params.Model) -> None:
    """Change in a trained network what its architecture changes once it is trained."""
    architecture, block = registry.configured(settings)
    if architecture.finish:
        for member in parts(network).members:
            architecture.finish(member, block)


def planned(in_parts: Parts) -> keras.Model:
    """The model that takes tokens, int (batch, rows, 4), and the plan of these rows, int (batch,
    rows, 6), and gives probabilities (batch, rows, 4, 47) of those notes, each from the plan and
    the notes before it. It is for parts that take a plan.
    """
    rows = layers.Input((None, len(VOICES)), dtype="int32", name="rows")
    plan = layers.Input((None, COLUMNS), dtype="int32", name="plan")
    return keras.Model([rows, plan], _predicted(in_parts, rows, plan), name="planned")


def _predicted(
    in_parts: Parts, tokens: keras.KerasTensor, plan: keras.KerasTensor | None = None
) -> keras.KerasTensor:
    """What the members together predict for tokens, an arpeggio or rows, with a plan; without one,
    what kantor.network.mixture makes of all keys and copies.
    """
    inputs = [tokens]
    if in_parts.lookback:
        inputs.append(in_parts.lookback(tokens))
    if not in_parts.plan:
        return _mean(in_parts, inputs)
    if plan is not None:
        return _mean(in_parts, inputs + _in_its_key(plan))[:, :, 0]
    in_all_keys = _mean(in_parts, [*inputs, _unknown(tokens), mixture.all_keys(tokens)])
    copies = [ops.concatenate(mixture.copies(values), axis=0) for values in inputs]
    of_copies = _mean(in_parts, copies + _in_its_key(_unknown(copies[0])))
    return mixture.mixed(in_all_keys, of_copies, tokens)


def _unknown(rows: keras.KerasTensor) -> keras.KerasTensor:
    """The plan, int (batch, rows, 6), that asks nothing of rows (batch, rows, 4)."""
    as_wide = ops.concatenate([rows, rows], axis=2)[:, :, :COLUMNS]
    return ops.zeros_like(as_wide) + UNKNOWN


def _in_its_key(plan: keras.KerasTensor) -> list[keras.KerasTensor]:
    return [plan, ops.expand_dims(plan[:, :, :KEY_COLUMNS], 2)]


def _mean(in_parts: Parts, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
    """The geometric mean of what the members predict for the same inputs, scaled to a sum of 1."""
    predictions = [member(inputs if inputs[1:] else inputs[0]) for member in in_parts.members]
    return mixture.geometric_mean(predictions)


def rows_of(arpeggio: keras.KerasTensor) -> keras.KerasTensor:
    """The rows of an arpeggio, int (batch, notes), as (batch, rows, 4).

    There is one row more than whole rows in it, the next one; what is missing there is 0.
    """
    filled = layers.ZeroPadding1D((0, 4))(ops.expand_dims(arpeggio, 2))[:, :, 0]
    voices = (filled[:, 0:-3:4], filled[:, 1:-2:4], filled[:, 2:-1:4], filled[:, 3::4])
    return ops.stack(voices, axis=2)


def _note_by_note(
    arpeggio: keras.KerasTensor, probabilities: keras.KerasTensor
) -> keras.KerasTensor:
    """Probabilities of rows, (batch, rows, 4, 47), note by note: place i of the arpeggio
    predicts note i + 1.
    """
    notes = layers.Reshape((-1, VOCABULARY_SIZE), name="notes_in_order")(probabilities)
    following = ops.expand_dims(lookback.numbers(arpeggio), 2)
    return ops.take_along_axis(notes, following, axis=1)
