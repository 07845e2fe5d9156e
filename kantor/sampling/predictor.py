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

`keyless` says that the key of some pieces is unknown. They are then looked at in all keys, as
kantor.network.mixture does, which takes longer.

With `guidance`, a number for each piece, its plan counts for more. The network runs twice, told the
plan and told none, and `decide` is given, but for a factor, told * (told / untold) ** guidance, of
what the two predict (Sanchez et al., "Stay on topic with Classifier-Free Guidance", arXiv
2306.17806). The logs are still those of the network that is told. A model that reads no plan has no
guidance.
"""

from collections.abc import Callable, Sequence

from kantor.chorale import SILENCE, VOICES
from kantor.network import lookback
from kantor.network.mixture import SMALLEST
from kantor.network.model import Parts, parts
from kantor.plan import COLUMNS, KEY_COLUMNS, KEYS, UNKNOWN
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

    def start(
        self, pieces: int, rows: int, guidance: Sequence[float] = (), keyless: bool = False
    ) -> State:
        state = {
            "told": self._fresh(pieces),
            "memory": lookback.empty(pieces, rows) if self._looks_back else {},
        }
        if self._plans and any(guidance):
            state["untold"] = self._fresh(pieces)
            state["guidance"] = tf.constant(guidance, tf.float32)
        if self._plans and keyless:
            state["keys"] = tf.zeros((pieces, len(KEYS)))
        return state

    def row(
        self, state: State, row: tf.Tensor, plan: tf.Tensor, decide: Decide
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        memory, hints = state["memory"], []
        if self._looks_back:
            looked_up, memory = lookback.look_back(memory, row)
            hints = [looked_up]
        plans = {"told": plan[:, None], "untold": tf.fill((plan.shape[0], 1, COLUMNS), UNKNOWN)}
        keys = {name: asked[:, :, None, :KEY_COLUMNS] for name, asked in plans.items()}
        keyless, so_far = "keys" in state, state.get("keys")
        if keyless:
            keys["told"] = tf.where(keys["told"] == UNKNOWN, KEYS, keys["told"])
        steps = {
            name: [stepping.Step(member) for member in state[name]]
            for name in plans
            if name in state
        }
        notes, logs = [tf.zeros(plan.shape[0], tf.int32)] * len(VOICES), []
        for voice, members in enumerate(self._voices):
            decided = tf.stack(notes, axis=1)
            in_keys = {}
            for name, member_steps in steps.items():
                inputs = [decided[:, None], *hints]
                inputs += [plans[name], keys[name]] if self._plans else []
                pairs = zip(member_steps, members, strict=True)
                logits = [step(member, inputs) for step, member in pairs]
                in_keys[name] = _mean([tf.nn.softmax(one) for one in logits])[:, 0]
            predicted = in_keys
            if self._plans:
                predicted = {name: one[:, 0] for name, one in in_keys.items()}
            if keyless:
                shares = tf.nn.softmax(so_far)[:, :, None]
                predicted["told"] = tf.reduce_sum(in_keys["told"] * shares, axis=1)
            weights = predicted["told"]
            if "untold" in steps:
                weights = _guided(**predicted, guidance=state["guidance"][:, None])
            notes[voice] = decide(voice, weights, decided)
            logs.append(_log(predicted["told"], notes[voice]))
            if keyless:
                so_far += _log_in_keys(in_keys["told"], notes[voice])
        notes = tf.stack(notes, axis=1)
        if self._looks_back:
            memory = lookback.remember(memory, row, notes)
        after = {name: [step.after for step in own_steps] for name, own_steps in steps.items()}
        after |= {"memory": memory} | ({"keys": so_far} if keyless else {})
        return notes, tf.stack(logs, axis=1), state | after

    def _fresh(self, pieces: int) -> list[stepping.State]:
        return [stepping.start(member, pieces) for member in self._members]


def _guided(told: tf.Tensor, untold: tf.Tensor, guidance: tf.Tensor) -> tf.Tensor:
    """The probabilities that notes are drawn from, (pieces, 47), by those of the network that is
    told a plan and of the one that isn't, and the guidance (pieces, 1).
    """
    log_told, log_untold = (tf.math.log(tf.maximum(one, SMALLEST)) for one in (told, untold))
    guided = tf.nn.softmax(log_told + guidance * (log_told - log_untold))
    # Without guidance they are the same to the last bit, whatever the other pieces have.
    return tf.where(guidance > 0, guided, told)


def _mean(predictions: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(predictions) / len(predictions)


def _log(probabilities: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """The logs (pieces,) of what tokens (pieces,) have of the probabilities (pieces, 47); a token
    that could not be drawn counts as the first.
    """
    return tf.math.log(tf.gather(probabilities, tf.maximum(tokens, 0), axis=1, batch_dims=1))


def _log_in_keys(probabilities: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """As _log, in each key: (pieces, 25), of probabilities (pieces, 25, 47)."""
    own = tf.gather(probabilities, tf.maximum(tokens, 0), axis=2, batch_dims=1)
    return tf.math.log(tf.maximum(own, SMALLEST))
