"""A model row by row: its predictions for the next row's notes, one voice after the other.

`predictor(model)` gives its form for composing, which has two methods. `start(pieces, rows)` is
the state before the first row of pieces side by side, with room for `rows` rows. `row(state, row,
plan, decide)` goes one row on, of which `plan`, int32 (pieces, 6), asks what kantor.plan tells, if
the model reads that. `decide(voice, probabilities, notes)` is asked for each voice in turn; it is
given probabilities (pieces, 47) and the notes of the row, int32 (pieces, 4), of which those above
the voice are decided, and answers with tokens, int32 (pieces,). The result is the notes of the row,
the logs of their probabilities (pieces, 4), and the state after it. Both work inside tf.function.

Wherever a note is not the first of its piece, and nothing is asked, the probabilities are those
that the model itself gives for the whole arpeggio before it. A model says nothing of a piece's
first note: a network of rows still predicts it, and one of notes predicts it as if after a silence.
"""

from collections.abc import Callable

from kantor.chorale import SILENCE, VOICES
from kantor.network import lookback
from kantor.network.model import Parts, parts
from kantor.sampling import stepping
from kantor.system.runtime import keras, tf

State = dict[str, object]
Decide = Callable[[int, tf.Tensor, tf.Tensor], tf.Tensor]


def predictor(network: keras.Model) -> "RowPredictor | NotePredictor":
    """The form for composing of a model: one of kantor.network, or any that reads an arpeggio
    and whose layers kantor.sampling.stepping can step through.
    """
    in_parts = parts(network)
    return RowPredictor(in_parts) if in_parts.steps == "rows" else NotePredictor(in_parts)


class NotePredictor:
    """Networks that read an arpeggio, note by note; the mean of their predictions."""

    def __init__(self, in_parts: Parts) -> None:
        # A sequential model has no graph to step through; this one has.
        self._members = [
            keras.Model(member.inputs, member.outputs[0]) for member in in_parts.members
        ]

    def start(self, pieces: int, rows: int) -> State:
        return {
            "members": [stepping.start(member, pieces) for member in self._members],
            "last": tf.fill((pieces,), SILENCE),
        }

    def row(
        self, state: State, row: tf.Tensor, plan: tf.Tensor, decide: Decide
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        def note(voice, members, last, notes, logs):
            steps = [stepping.Step(state) for state in members]
            inputs = last[:, None]
            predictions = [
                step(member, inputs) for step, member in zip(steps, self._members, strict=True)
            ]
            # The silence before the first note is not part of the piece.
            begun = (row > 0) | (voice > 0)
            members = tf.nest.map_structure(
                lambda new, old: tf.where(begun, new, old), [step.after for step in steps], members
            )
            probabilities = _mean(predictions)[:, 0]
            last = decide(voice, probabilities, notes)
            here = tf.range(len(VOICES)) == voice
            notes = tf.where(here, last[:, None], notes)
            logs = tf.where(here, _log(probabilities, last)[:, None], logs)
            return voice + 1, members, last, notes, logs

        notes = tf.zeros((state["last"].shape[0], len(VOICES)), tf.int32)
        _, members, last, notes, logs = tf.while_loop(
            lambda voice, *_: voice < len(VOICES),
            note,
            (tf.constant(0), state["members"], state["last"], notes, tf.cast(notes, tf.float32)),
            maximum_iterations=len(VOICES),
        )
        return notes, logs, {"members": members, "last": last}


class RowPredictor:
    """Networks that read rows, with hints and a plan or without; the mean of their predictions."""

    def __init__(self, in_parts: Parts) -> None:
        self._looks_back, self._plans = in_parts.lookback is not None, in_parts.plan
        self._members = in_parts.members
        # For each voice and member the part of it that predicts this voice.
        self._voices = [
            [
                keras.Model(member.inputs, member.get_layer(name).output)
                for member in in_parts.members
            ]
            for name in VOICES
        ]

    def start(self, pieces: int, rows: int) -> State:
        return {
            "members": [stepping.start(member, pieces) for member in self._members],
            "memory": lookback.empty(pieces, rows) if self._looks_back else {},
            "notes": tf.fill((pieces, len(VOICES)), SILENCE),
        }

    def row(
        self, state: State, row: tf.Tensor, plan: tf.Tensor, decide: Decide
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        memory, others = state["memory"], []
        if self._looks_back:
            hints, memory = lookback.look_back(memory, row)
            others.append(hints)
        if self._plans:
            others.append(plan[:, None])
        steps = [stepping.Step(member) for member in state["members"]]
        notes, logs = [tf.zeros_like(state["notes"][:, 0])] * len(VOICES), []
        for voice, members in enumerate(self._voices):
            decided = tf.stack(notes, axis=1)
            inputs = [decided[:, None], *others]
            logits = [step(member, inputs) for step, member in zip(steps, members, strict=True)]
            probabilities = _mean([tf.nn.softmax(one) for one in logits])[:, 0]
            notes[voice] = decide(voice, probabilities, decided)
            logs.append(_log(probabilities, notes[voice]))
        notes = tf.stack(notes, axis=1)
        if self._looks_back:
            memory = lookback.remember(memory, row, notes)
        members = [step.after for step in steps]
        after = {"members": members, "memory": memory, "notes": notes}
        return notes, tf.stack(logs, axis=1), after


def _mean(predictions: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(predictions) / len(predictions)


def _log(probabilities: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """The logs (pieces,) of what tokens (pieces,) have of the probabilities (pieces, 47); a token
    that could not be drawn counts as the first.
    """
    return tf.math.log(tf.gather(probabilities, tf.maximum(tokens, 0), axis=1, batch_dims=1))
