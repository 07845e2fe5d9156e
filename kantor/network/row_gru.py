"""The network that steps by rows: one step of its GRUs is a row, not a note.

GRUs read the rows so far. Then for each voice in turn a dense head predicts its note. It sees
the state of the GRUs, the hints of the lookback (what came next where the piece has been
before), the plan of the row (bar, phrase, rows left), and the notes of the row that are already
decided. The key only counts in what is added to that in the end, so that the same piece can be
looked at in many keys at little cost. All of it is stock Keras layers and operations.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from kantor.bounds import NotNegative, Share, Units
from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.network import plan_features, voice_leading
from kantor.network.architecture import MEMBER, Architecture, Size
from kantor.network.lookback import HINTS, LEVELS, LONGEST_HOLD, PERIOD
from kantor.plan import COLUMNS, KEY_COLUMNS
from kantor.system import runtime
from kantor.system.settings import Block

if TYPE_CHECKING:
    from kantor.system.runtime import keras


# Of the vectors that stand for how long a voice has held its note, for how many rows a place is
# alike, and for the place in a period.
LENGTH_WIDTH, LIKENESS_WIDTH, PLACE_WIDTH = 8, 8, 16
# Parameters of the layers whose size no setting changes, and about how many numbers they give for
# a row, most of them of kantor.network.voice_leading.
FIXED, FIXED_OUTPUTS = 38_084, 8_000


class Settings(Block):
    embedding: Units
    units: Annotated[list[Units], Field(min_length=1, max_length=16)]
    head: Units
    dropout: Share
    voice_leading: Literal["all", "none", "alternate"]
    strictness: NotNegative

    def hears(self, number: int) -> bool:
        """Whether the member of that number, from 1, has kantor.network.voice_leading."""
        return {"all": True, "none": False, "alternate": number % 2 == 0}[self.voice_leading]


def member(settings: Settings, number: int) -> "keras.Model":
    """Tokens, int (batch, rows, 4), hints for them, their plan and some keys that they may be in,
    to probabilities of each row's notes in each key, (batch, rows, keys, 4, 47): of each voice from
    the rows before and the voices above it.
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    rows = layers.Input((None, len(VOICES)), dtype="int32", name="rows")
    hints = layers.Input((None, sum(HINTS.values())), dtype="int32", name="hints")
    plan = layers.Input((None, COLUMNS), dtype="int32", name="plan")
    keys = layers.Input((None, None, KEY_COLUMNS), dtype="int32", name="keys")
    before, after_row, after_voice, row_level, voice_level, held, position = _split(hints)
    guesses = (before, after_row, after_voice)

    embed = _embedding(VOCABULARY_SIZE + 1, settings.embedding, "notes")
    current, (previous, like_row, like_voice) = embed(rows), map(embed, guesses)
    length = _embedding(LONGEST_HOLD, LENGTH_WIDTH, "length")(held)
    row_likeness = layers.Embedding(LEVELS, LIKENESS_WIDTH, name="row_likeness")(row_level[:, :, 0])
    voice_likeness = _embedding(LEVELS, LIKENESS_WIDTH, "voice_likeness")(voice_level)
    place = layers.Embedding(PERIOD, PLACE_WIDTH, name="place")(position[:, :, 0])

    features = plan_features.read(plan, keys, rows, before, settings.dropout)
    so_far = [*_voices(previous), *_voices(length), place, *features.form]

    state = layers.Concatenate(name="row")(so_far)
    for depth, units in enumerate(settings.units, start=1):
        x = layers.GRU(units, return_sequences=True, name=f"gru_{depth}")(state)
        x = layers.Dropout(settings.dropout, name=f"gru_dropout_{depth}")(x)
        deep = depth > 1 and state.shape[-1] == units
        state = layers.Add(name=f"residual_{depth}")([state, x]) if deep else x

    right = [ops.cast(ops.equal(guess, rows), "float32") for guess in guesses]
    led = None
    if settings.hears(number):
        led = voice_leading.leading(rows, before, position, features.closing)
    logits = []
    for voice, voice_name in enumerate(VOICES):
        inputs = [state, place, row_likeness, *features.form]
        own = (previous, length, like_row, like_voice, voice_likeness)
        inputs += [values[:, :, voice] for values in own]
        inputs += [current[:, :, higher] for higher in range(voice)]
        inputs += [guess[:, :, :voice] for guess in right if voice]
        x = layers.Concatenate(name=f"{voice_name}_inputs")(inputs)
        own_guesses = [guess[:, :, voice] for guess in guesses]
        relative = led(voice) if led else []
        in_all_keys = _head(settings, x, own_guesses, relative, voice_name)
        in_keys = [ops.expand_dims(in_all_keys, 2), *features.logits(voice)]
        logits.append(layers.Add(name=voice_name)(in_keys))
    probabilities = layers.Activation("softmax", name="probabilities")
    output = probabilities(ops.stack(logits, axis=3))
    return runtime.keras.Model([rows, hints, plan, keys], output, name=f"{MEMBER}{number}")


def _head(
    settings: Settings,
    inputs: "keras.KerasTensor",
    guesses: "list[keras.KerasTensor]",
    relative: "list[keras.KerasTensor]",
    name: str,
) -> "keras.KerasTensor":
    """Logits of a voice in any key, (batch, rows, 47): for any token, more for one that was
    guessed, and what is `relative` to other notes, (batch, rows, 47) each.
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    x = layers.Dense(settings.head, activation="relu", name=f"{name}_head")(inputs)
    x = layers.Dropout(settings.dropout, name=f"{name}_dropout")(x)
    logits = [layers.Dense(VOCABULARY_SIZE, name=f"{name}_scores")(x), *relative]
    trust = layers.Dense(len(guesses), name=f"{name}_trust")(x)
    for number, guess in enumerate(guesses):
        # What is no token gets nothing, and the rest of the network decides.
        logits.append(ops.one_hot(guess, VOCABULARY_SIZE) * trust[:, :, number : number + 1])
    return layers.Add(name=f"{name}_in_all_keys")(logits)


def _embedding(size: int, width: int, name: str) -> "Callable[..., keras.KerasTensor]":
    """An embedding of numbers (batch, rows, 4) below `size`, with a table for each voice."""
    layer = runtime.keras.layers.Embedding(len(VOICES) * size, width, name=name)
    tables = np.arange(len(VOICES), dtype=np.int32) * size
    return lambda numbers: layer(numbers + tables)


def _split(hints: "keras.KerasTensor") -> "list[keras.KerasTensor]":
    """The hints one by one, in the order of HINTS."""
    ends = np.cumsum([0, *HINTS.values()]).tolist()
    return [hints[:, :, begin:end] for begin, end in pairwise(ends)]


def _voices(values: "keras.KerasTensor") -> "list[keras.KerasTensor]":
    return [values[:, :, voice] for voice in range(len(VOICES))]


def size(settings: Settings) -> Size:
    """The size of the largest member, before it is there."""
    form = sum(width for *_, width in plan_features.FORM.values())
    width = len(VOICES) * (settings.embedding + LENGTH_WIDTH) + PLACE_WIDTH + form
    parameters = FIXED + len(VOICES) * (VOCABULARY_SIZE + 1) * settings.embedding
    parameters += voice_leading.PARAMETERS if settings.voice_leading != "none" else 0
    outputs = width
    for units in settings.units:
        parameters += 3 * units * (width + units + 2)
        outputs += 4 * units
        width = units
    for voice in range(len(VOICES)):
        inputs = width + form + PLACE_WIDTH + 2 * LIKENESS_WIDTH + LENGTH_WIDTH
        inputs += (3 + voice) * settings.embedding + 3 * voice
        parameters += (inputs + 1) * settings.head + (settings.head + 1) * (VOCABULARY_SIZE + 3)
        outputs += inputs + 2 * settings.head
    return Size(parameters, outputs + FIXED_OUTPUTS)


def finish(member: "keras.Model", settings: Settings) -> None:
    """Make parallels less likely, by `strictness`."""
    voice_leading.forbid(member, settings.strictness)


ARCHITECTURE = Architecture(
    "row_gru",
    Settings,
    member,
    steps="rows",
    lookback=True,
    plan=True,
    size=size,
    finish=finish,
)
