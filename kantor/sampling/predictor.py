"""A model row by row: its predictions for the next row's notes, one voice after the other.

`predictor(model)` gives its form for composing, which has two methods. `start(pieces, rows,
guidance, keyless)` is the state before the first row of pieces side by side, with room for `rows`
rows. `row(state, row, plan, decide)` goes one row on, of which `plan`, int32 (pieces, 6), asks what
kantor.plan tells, if the model reads that. `decide(voice, probabilities, notes)` is asked for each
voice in turn; it is given probabilities (pieces, 47) and the notes of the row, int32 (pieces, 4),
of which those above the voice are decided, and answers with tokens, int32 (pieces,). The result is
the notes of the row, the logs of their probabilities (pieces, 4), and the state after it. Both work
inside tf.function.

Wherever a note is not the first of its piece, and nothing is asked, the probabilities are those
that the model itself gives for the whole arpeggio before it. A model says nothing of a piece's
first note: a network of rows still predicts it, and one of notes predicts it as if after a silence.

`keyless` says that the key of some pieces is unknown. They are then read in all keys and in copies,
as kantor.network.mixture does, which takes longer.

With `guidance`, a number for each piece, its plan counts for more. The network runs twice, told the
plan and told none, and `decide` is given, but for a factor, told * (told / untold) ** guidance, of
what the two predict (Sanchez et al., "Stay on topic with Classifier-Free Guidance", arXiv
2306.17806). The logs are still those of the network that is told. A model that reads no plan has no
guidance.
"""

from collections.abc import Callable, Sequence

from kantor.chorale import SILENCE, VOICES
from kantor.network import lookback, mixture
from kantor.network.model import Parts, parts
from kantor.plan import UNKNOWN
from kantor.sampling import stepping
from kantor.sampling.reading import Reading, ReadingInAllKeys
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
    """Networks that read an arpeggio, note by note; the geometric mean of their predictions."""

    def __init__(self, in_parts: Parts) -> None:
        # A sequential model has no graph to step through; this one has.
        self._members = [
            keras.Model(member.inputs, member.outputs[0]) for member in in_parts.members
        ]

    def start(
        self, pieces: int, rows: int, guidance: Sequence[float] = (), keyless: bool = False
    ) -> State:
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
            probabilities = mixture.geometric_mean(predictions)[:, 0]
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
    """Networks that read rows, with hints and a plan or without; the geometric mean of their
    predictions.
    """

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

    def start(
        self, pieces: int, rows: int, guidance: Sequence[float] = (), keyless: bool = False
    ) -> State:
        told = ReadingInAllKeys if self._plans and keyless else Reading
        state = {
            "told": told.start(self._members, pieces),
            "memory": lookback.empty(pieces, rows) if self._looks_back else {},
        }
        if self._plans and any(guidance):
            state["untold"] = Reading.start(self._members, pieces)
            state["guidance"] = tf.constant(guidance, tf.float32)
        return state

    def row(
        self, state: State, row: tf.Tensor, plan: tf.Tensor, decide: Decide
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        memory, hints = state["memory"], []
        if self._looks_back:
            looked_up, memory = lookback.look_back(memory, row)
            hints = [looked_up]
        kind = ReadingInAllKeys if "copies" in state["told"] else Reading
        told = kind(state["told"], hints, plan if self._plans else None)
        untold = None
        if "untold" in state:
            untold = Reading(state["untold"], hints, tf.fill(plan.shape, UNKNOWN))
        notes, logs = [tf.zeros(plan.shape[0], tf.int32)] * len(VOICES), []
        for voice, members in enumerate(self._voices):
            decided = tf.stack(notes, axis=1)
            weights = predicted = told.predict(members, decided)
            if untold:
                without = untold.predict(members, decided)
                weights = _guided(predicted, without, state["guidance"][:, None])
            notes[voice] = decide(voice, weights, decided)
            logs.append(_log(predicted, notes[voice]))
            told.hear(notes[voice])
        notes = tf.stack(notes, axis=1)
        if self._looks_back:
            memory = lookback.remember(memory, row, notes)
        after = {"told": told.after, "memory": memory}
        if untold:
            after["untold"] = untold.after
        return notes, tf.stack(logs, axis=1), state | after


def _guided(told: tf.Tensor, untold: tf.Tensor, guidance: tf.Tensor) -> tf.Tensor:
    """The probabilities that notes are drawn from, (pieces, 47), by those of the network that is
    told a plan and of the one that isn't, and the guidance (pieces, 1).
    """
    guided = mixture.guided(told, told, untold, guidance)
    # Without guidance they are the same to the last bit, whatever the other pieces have.
    return tf.where(guidance > 0, guided, told)


def _log(probabilities: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """The logs (pieces,) of what tokens (pieces,) have of the probabilities (pieces, 47); a token
    that could not be drawn counts as the first.
    """
    return tf.math.log(tf.gather(probabilities, tf.maximum(tokens, 0), axis=1, batch_dims=1))
