"""How the members of a network read a row, voice by voice: in the key of its plan, or in all keys
and several copies.

Both kinds of readings are used alike. `predict(members, decided)` is called for each voice in turn,
with those parts of the members that give its logits, and the notes of the row, int32 (pieces, 4),
of which those above the voice are decided. It gives probabilities (pieces, 47). `hear(tokens)` then
tells what the voice has, int32 (pieces,). `after` is the state after the row.
"""

from collections.abc import Sequence

from kantor.chorale import VOCABULARY_SIZE
from kantor.network import mixture
from kantor.network.mixture import SEMITONES
from kantor.plan import KEY_COLUMNS, KEYS, MODE, UNKNOWN
from kantor.sampling import stepping
from kantor.system.runtime import keras, tf

State = dict[str, object]


class Reading:
    """A row in the key of its plan, if the network reads one, or in several keys."""

    @staticmethod
    def start(members: Sequence[keras.Model], pieces: int) -> State:
        """The state before the first row."""
        return {"members": [stepping.start(member, pieces) for member in members]}

    def __init__(
        self,
        state: State,
        hints: Sequence[tf.Tensor],
        plan: tf.Tensor | None,
        keys: tf.Tensor | None = None,
    ) -> None:
        """`hints`, int32 (pieces, 1, hints), if any, and `plan`, int32 (pieces, 6), of the row;
        `keys`, int32 (pieces, keys, 2), if it is read in others than that of the plan.
        """
        self._steps = [stepping.Step(member) for member in state["members"]]
        self._inputs = list(hints)
        if plan is not None:
            keys = plan[:, None, :KEY_COLUMNS] if keys is None else keys
            self._inputs += [plan[:, None], keys[:, None]]

    def predict(self, members: Sequence[keras.Model], decided: tf.Tensor) -> tf.Tensor:
        """With several keys (pieces * keys, 47)."""
        inputs = [decided[:, None], *self._inputs]
        pairs = zip(self._steps, members, strict=True)
        logits = [step(member, inputs) for step, member in pairs]
        # That of their mean is the geometric mean of what the members predict.
        predicted = tf.nn.softmax(tf.add_n(logits) / len(logits))
        return tf.reshape(predicted, (-1, VOCABULARY_SIZE))

    def hear(self, tokens: tf.Tensor) -> None:
        pass

    @property
    def after(self) -> State:
        return {"members": [step.after for step in self._steps]}


class ReadingInAllKeys:
    """A row of pieces, some of them without a key. These are read as in kantor.network.mixture, the
    others in their own key.
    """

    @staticmethod
    def start(members: Sequence[keras.Model], pieces: int) -> State:
        """The state before the first row: that of the pieces' own reading, and of their copies',
        (pieces, copies, ...), so that pieces can be chosen along the first axis; and the sums of
        the logs of the notes before, relative to those in no key, (pieces, readings).
        """
        count = len(SEMITONES)
        of_copies = Reading.start(members, pieces * count)
        return {
            "own": Reading.start(members, pieces),
            "copies": tf.nest.map_structure(_unfolded, of_copies),
            "sums": tf.zeros((pieces, mixture.READINGS)),
        }

    def __init__(self, state: State, hints: Sequence[tf.Tensor], plan: tf.Tensor) -> None:
        """`hints`, int32 (pieces, 1, hints), and `plan`, int32 (pieces, 6), of the row."""
        self._sums = state["sums"]
        key = plan[:, None, :KEY_COLUMNS]
        self._unknown = key[:, 0, :1] == UNKNOWN
        self._own = Reading(state["own"], hints, plan, tf.where(key == UNKNOWN, KEYS, key))

        copied = [_folded(tf.stack(mixture.copies(values), axis=1)) for values in hints]
        without_key = tf.concat([tf.fill((plan.shape[0], MODE), UNKNOWN), plan[:, MODE:]], axis=1)
        without_key = tf.repeat(without_key, len(SEMITONES), axis=0)
        of_copies = tf.nest.map_structure(_folded, state["copies"])
        self._copies = Reading(of_copies, copied, without_key)

    def predict(self, members: Sequence[keras.Model], decided: tf.Tensor) -> tf.Tensor:
        in_keys = self._own.predict(members, decided)
        in_keys = tf.reshape(in_keys, (-1, len(KEYS), VOCABULARY_SIZE))
        copies = _folded(tf.stack(mixture.copies(decided), axis=1))
        of_copies = _unfolded(self._copies.predict(members, copies))
        of_copies = mixture.brought_back(tf.unstack(of_copies, axis=1))
        self._readings = tf.concat([in_keys, of_copies], axis=1)
        in_any_key = mixture.joined(self._readings, self._sums)
        return tf.where(self._unknown, in_any_key, in_keys[:, 0])

    def hear(self, tokens: tf.Tensor) -> None:
        self._sums += mixture.logs(self._readings, tokens)

    @property
    def after(self) -> State:
        return {
            "own": self._own.after,
            "copies": tf.nest.map_structure(_unfolded, self._copies.after),
            "sums": self._sums,
        }


def _folded(x: tf.Tensor) -> tf.Tensor:
    """(pieces, copies, ...) as (pieces * copies, ...)."""
    return tf.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _unfolded(x: tf.Tensor) -> tf.Tensor:
    """(pieces * copies, ...) as (pieces, copies, ...)."""
    count = len(SEMITONES)
    return tf.reshape(x, (x.shape[0] // count, count, *x.shape[1:]))
