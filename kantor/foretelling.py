"""A model row by row: what it foretells for the next row's notes, one after the other.

`of(model)` gives its form for composing, with two methods. `start(pieces, rows)` is the state
before the first row of pieces side by side, with room for so many rows. `row(state, row,
choose)` goes one row on: `choose(voice, probabilities)` is asked for each voice in turn, is
given probabilities (pieces, 47), and answers with tokens, int32 (pieces,); the result is the
notes of the row, int32 (pieces, 4), and the state after it. Both work inside tf.function.

Wherever a note is not the first of its piece, the probabilities are those that the model itself
gives for the whole arpeggio before it. A model says nothing of a piece's first note: a network
of rows still foretells it, and one of notes foretells it as if after a silence.
"""

from collections.abc import Callable

from kantor import model, recall, stepping
from kantor.chorale import SILENCE, VOICES
from kantor.runtime import keras, tf

State = dict[str, object]
Choose = Callable[[int, tf.Tensor], tf.Tensor]


def of(network: keras.Model) -> "Rows | Notes":
    """The form for composing of a model: one of kantor.model, or any that reads an arpeggio
    and of whose layers kantor.stepping knows the steps.
    """
    looks_back, cores = model.parts(network)
    return Rows(cores) if looks_back else Notes(cores)


class Notes:
    """Networks that read an arpeggio, note by note; the mean of what they foretell."""

    def __init__(self, cores: list[keras.Model]) -> None:
        # A sequential model has no graph to step through; this one has.
        self._cores = [keras.Model(core.inputs, core.outputs[0]) for core in cores]

    def start(self, pieces: int, rows: int) -> State:
        return {
            "cores": [stepping.start(core, pieces) for core in self._cores],
            "last": tf.fill((pieces,), SILENCE),
        }

    def row(self, state: State, row: tf.Tensor, choose: Choose) -> tuple[tf.Tensor, State]:
        def note(voice, cores, last, notes):
            steps = [stepping.Step(state) for state in cores]
            inputs = last[:, None]
            given = _mean(
                [step(core, inputs) for step, core in zip(steps, self._cores, strict=True)]
            )
            # The silence before the first note is none that is remembered.
            begun = (row > 0) | (voice > 0)
            cores = tf.nest.map_structure(
                lambda new, old: tf.where(begun, new, old), [step.after for step in steps], cores
            )
            last = choose(voice, given[:, 0])
            return voice + 1, cores, last, notes.write(voice, last)

        notes = tf.TensorArray(tf.int32, len(VOICES), element_shape=state["last"].shape)
        _, cores, last, notes = tf.while_loop(
            lambda voice, *_: voice < len(VOICES),
            note,
            (tf.constant(0), state["cores"], state["last"], notes),
            maximum_iterations=len(VOICES),
        )
        return tf.transpose(notes.stack()), {"cores": cores, "last": last}


class Rows:
    """Networks that read rows and what is recalled for them; the mean of what they foretell."""

    def __init__(self, cores: list[keras.Model]) -> None:
        # For each voice and core the part of it that foretells this voice.
        self._voices = [
            [keras.Model(core.inputs, core.get_layer(name).output) for core in cores]
            for name in VOICES
        ]

    def start(self, pieces: int, rows: int) -> State:
        return {
            "cores": [stepping.start(core, pieces) for core in self._voices[0]],
            "memory": recall.nothing(pieces, rows),
        }

    def row(self, state: State, row: tf.Tensor, choose: Choose) -> tuple[tf.Tensor, State]:
        hints, memory = recall.recalled(state["memory"], row)
        steps = [stepping.Step(of_core) for of_core in state["cores"]]
        notes = [tf.fill((hints.shape[0],), SILENCE)] * len(VOICES)
        for voice, cores in enumerate(self._voices):
            inputs = [tf.stack(notes, axis=1)[:, None], hints]
            logits = [step(core, inputs) for step, core in zip(steps, cores, strict=True)]
            notes[voice] = choose(voice, _mean([tf.nn.softmax(of) for of in logits])[:, 0])
        notes = tf.stack(notes, axis=1)
        return notes, {
            "cores": [step.after for step in steps],
            "memory": recall.remembered(memory, row, notes),
        }


def _mean(given: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(given) / len(given)
