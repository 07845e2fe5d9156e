"""The network that thinks in rows: one step of its GRUs is a row, not a note.

GRUs read the rows so far. Then for each voice in turn a dense head foretells its note: it sees
what the GRUs remember, what came next where the piece has been before (kantor/recall.py), and
the notes of the row that are chosen already. All of it is stock Keras layers and operations.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from kantor.chorale import VOCABULARY, VOICES
from kantor.params import RowGru
from kantor.recall import HINTS, LEVELS, LONGEST_HOLD, PERIOD, numbers, recall
from kantor.runtime import keras

layers, ops = keras.layers, keras.ops


def inputs(arpeggio: keras.KerasTensor) -> list[keras.KerasTensor]:
    """What a core takes: the rows of an arpeggio, int (batch, notes), and hints for them.

    There is one row more than whole rows in it, the next one; what is missing there is 0.
    """
    filled = layers.ZeroPadding1D((0, 4))(ops.expand_dims(arpeggio, 2))[:, :, 0]
    voices = (filled[:, 0:-3:4], filled[:, 1:-2:4], filled[:, 2:-1:4], filled[:, 3::4])
    rows = ops.stack(voices, axis=2)
    return [rows, recall()(rows)]


def in_order(arpeggio: keras.KerasTensor, foretold: keras.KerasTensor) -> keras.KerasTensor:
    """Probabilities of rows, (batch, rows, 4, 47), note by note: place i of the arpeggio
    foretells note i + 1.
    """
    notes = layers.Reshape((-1, VOCABULARY), name="notes_in_order")(foretold)
    following = ops.expand_dims(numbers(arpeggio), 2)
    return ops.take_along_axis(notes, following, axis=1)


def core(settings: RowGru, name: str) -> keras.Model:
    """Rows, int (batch, rows, 4), and hints for them, to probabilities of each row's notes,
    (batch, rows, 4, 47): of each voice from the rows before and the voices above it.
    """
    rows = layers.Input((None, len(VOICES)), dtype="int32", name="rows")
    hints = layers.Input((None, sum(HINTS.values())), dtype="int32", name="hints")
    before, after_row, after_voice, row_level, voice_level, held, position = _split(hints)
    guesses = (before, after_row, after_voice)

    note = _embedding(VOCABULARY + 1, settings.embedding, "notes")
    chosen, (sung, like_row, like_voice) = note(rows), map(note, guesses)
    length = _embedding(LONGEST_HOLD, 8, "length")(held)
    row_likeness = layers.Embedding(LEVELS, 8, name="row_likeness")(row_level[:, :, 0])
    voice_likeness = _embedding(LEVELS, 8, "voice_likeness")(voice_level)
    place = layers.Embedding(PERIOD, 16, name="place")(position[:, :, 0])

    state = layers.Concatenate(name="row")([*_voices(sung), *_voices(length), place])
    for number, units in enumerate(settings.units, start=1):
        x = layers.GRU(units, return_sequences=True, name=f"gru_{number}")(state)
        x = layers.Dropout(settings.dropout, name=f"gru_dropout_{number}")(x)
        deep = number > 1 and state.shape[-1] == units
        state = layers.Add(name=f"residual_{number}")([state, x]) if deep else x

    right = [ops.cast(ops.equal(guess, rows), "float32") for guess in guesses]
    logits = []
    for voice, voice_name in enumerate(VOICES):
        seen = [state, place, row_likeness]
        of_voice = (sung, length, like_row, like_voice, voice_likeness)
        seen += [values[:, :, voice] for values in of_voice]
        seen += [chosen[:, :, higher] for higher in range(voice)]
        seen += [guess[:, :, :voice] for guess in right if voice]
        x = layers.Concatenate(name=f"{voice_name}_sees")(seen)
        guessed = [guess[:, :, voice] for guess in guesses]
        logits.append(_head(settings, x, guessed, voice_name))
    probabilities = layers.Activation("softmax", name="probabilities")
    return keras.Model([rows, hints], probabilities(ops.stack(logits, axis=2)), name=name)


def _head(
    settings: RowGru, seen: keras.KerasTensor, guesses: list[keras.KerasTensor], name: str
) -> keras.KerasTensor:
    """Logits of a voice (batch, rows, 47): for any token, and more for one that was guessed."""
    x = layers.Dense(settings.head, activation="relu", name=f"{name}_head")(seen)
    x = layers.Dropout(settings.dropout, name=f"{name}_dropout")(x)
    logits = [layers.Dense(VOCABULARY, name=f"{name}_scores")(x)]
    trust = layers.Dense(len(guesses), name=f"{name}_trust")(x)
    for number, guess in enumerate(guesses):
        # What is no token gets nothing, and the rest of the network decides.
        logits.append(ops.one_hot(guess, VOCABULARY) * trust[:, :, number : number + 1])
    return layers.Add(name=name)(logits)


def _embedding(size: int, width: int, name: str) -> Callable[..., keras.KerasTensor]:
    """An embedding of numbers (batch, rows, 4) below `size`, with a table for each voice."""
    layer = layers.Embedding(len(VOICES) * size, width, name=name)
    tables = np.arange(len(VOICES), dtype=np.int32) * size
    return lambda numbers: layer(numbers + tables)


def _split(hints: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The hints one by one, in the order of HINTS."""
    ends = np.cumsum([0, *HINTS.values()]).tolist()
    return [hints[:, :, begin:end] for begin, end in pairwise(ends)]


def _voices(values: keras.KerasTensor) -> list[keras.KerasTensor]:
    return [values[:, :, voice] for voice in range(len(VOICES))]
