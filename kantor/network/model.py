"""Models: settings to a Keras model, and a Keras model to its parts.

Every model takes an arpeggio of tokens, int (batch, notes), any number of notes, and gives
softmax probabilities, float32 (batch, notes, 47): place i predicts note i + 1 from the notes
up to i, and from no later one. It is made of stock Keras layers alone, so that its file loads
where nothing of this project is at hand. A network that reads a plan (kantor.plan) is told of
none there, and its probabilities are the mean over all keys (kantor.network.mixture); `planned`
gives the model that takes one.

Inside are one or more networks of one architecture, its *members*, trained one after the other;
the model's probabilities are the mean of theirs (Hansen and Salamon, "Neural Network
Ensembles", IEEE PAMI 12, 1990).
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
        probabilities = _mean(in_parts, arpeggio)
    else:
        probabilities = _mean(in_parts, rows_of(arpeggio))
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
    if not members or architecture.lookback != (LOOKBACK in named):
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
    return keras.Model([rows, plan], _mean(in_parts, rows, plan), name="planned")


def _mean(
    in_parts: Parts, tokens: keras.KerasTensor, plan: keras.KerasTensor | None = None
) -> keras.KerasTensor:
    """The mean of what the members predict for tokens, an arpeggio or rows; without a plan, all
    of it is unknown, and the key may be any.
    """
    inputs = [tokens]
    if in_parts.lookback:
        inputs.append(in_parts.lookback(tokens))
    if in_parts.plan and plan is None:
        as_wide = ops.concatenate([tokens, tokens], axis=2)[:, :, :COLUMNS]
        inputs += [ops.zeros_like(as_wide) + UNKNOWN, mixture.all_keys(tokens)]
    elif in_parts.plan:
        inputs += [plan, ops.expand_dims(plan[:, :, :KEY_COLUMNS], 2)]
    predictions = [member(inputs if inputs[1:] else tokens) for member in in_parts.members]
    mean = layers.Average(name="mean")(predictions) if predictions[1:] else predictions[0]
    if not in_parts.plan:
        return mean
    return mixture.mixed(mean, tokens) if plan is None else mean[:, :, 0]


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
