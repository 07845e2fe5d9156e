"""Drawing notes from the probabilities of all notes, as SamplerOptions say."""

from collections.abc import Sequence

import numpy as np

from kantor import plan
from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.params import SamplerOptions
from kantor.sampling import counterpoint
from kantor.system.runtime import tf

NONE = -1  # in place of a token: to be composed; or no token could be drawn
JOINT = -1.0  # in place of a temperature of the rhythm: it is drawn with the pitch


def arguments(options: Sequence[SamplerOptions]) -> dict[str, tf.Tensor]:
    """What `note` takes of the options of pieces side by side."""
    taken = {"temperature": tf.constant([one.temperature for one in options], tf.float32)}
    if any(one.rhythm is not None for one in options):
        rhythms = [JOINT if one.rhythm is None else one.rhythm for one in options]
        taken["rhythm"] = tf.constant(rhythms, tf.float32)
    if any(one.top_k or one.top_p < 1 for one in options):
        taken["top_k"] = tf.constant([one.top_k or VOCABULARY_SIZE for one in options])
        taken["top_p"] = tf.constant([one.top_p for one in options], tf.float32)
    if any(one.no_parallels for one in options):
        taken["no_parallels"] = tf.constant([one.no_parallels for one in options])
    return taken


def guidance(options: SamplerOptions, asked: np.ndarray | None) -> float:
    """The guidance of a piece by its plan (rows, 6), which is none where the plan asks nothing."""
    nothing = asked is None or (asked == plan.UNKNOWN).all()
    return 0.0 if nothing else options.guidance


def keyless(plans: Sequence[np.ndarray | None]) -> bool:
    """Whether the key of any piece is unknown, by their plans (rows, 6)."""
    return any(asked is None or (asked[:, plan.TONIC] == plan.UNKNOWN).any() for asked in plans)


def note(
    voice: int | tf.Tensor,
    probabilities: tf.Tensor,
    draws: tf.Tensor,
    before: tf.Tensor,
    notes: tf.Tensor,
    ready: tf.Tensor,
    options: dict[str, tf.Tensor],
) -> tf.Tensor:
    """The tokens of a voice, int32 (pieces,): those that are ready, and otherwise as `choose` says.

    `before`, `notes` and `ready`, int32 (pieces, 4), are the tokens of the row before; those of
    this row, of which the voices above are decided; and those of this row that need no drawing,
    NONE where there are none.
    """
    others = {name: option for name, option in options.items() if name != "no_parallels"}
    if "no_parallels" in options:
        there = ready != NONE
        decided = there | (tf.range(len(VOICES)) < voice)
        row = tf.where(there, ready, notes)
        forbidden = counterpoint.parallels(before, row, decided, voice)
        others["forbidden"] = forbidden & options["no_parallels"][:, None]
    drawn = choose(probabilities, draws, tf.gather(before, voice, axis=1), **others)
    own = tf.gather(ready, voice, axis=1)
    return tf.where(own == NONE, drawn, own)


def choose(
    probabilities: tf.Tensor,
    draws: tf.Tensor,
    before: tf.Tensor,
    temperature: tf.Tensor,
    top_k: tf.Tensor | None = None,
    top_p: tf.Tensor | None = None,
    rhythm: tf.Tensor | None = None,
    forbidden: tf.Tensor | None = None,
) -> tf.Tensor:
    """The tokens, int32 (pieces,), that draws, uniform in [0, 1), pick from probabilities
    (pieces, 47); NONE where those are no numbers.

    `before`, int32 (pieces,), are the tokens of the row before. `temperature`, `top_p` and
    `rhythm`, float32, and `top_k`, int32, all (pieces,), are SamplerOptions, but that a `top_k` of
    47 stands for all, and a `rhythm` of JOINT for none. Each probability is raised to
    1 / temperature. What is `forbidden`, bool (pieces, 47), isn't drawn unless nothing else can be.
    """
    allowed = probabilities
    if forbidden is not None:
        allowed = tf.where(forbidden, 0.0, probabilities)
        some = tf.reduce_any(allowed > 0, axis=1, keepdims=True)
        allowed = tf.where(some, allowed, probabilities)
    weights = _weights(allowed, temperature, top_k, top_p)
    if rhythm is not None:
        hold = tf.one_hot(before, VOCABULARY_SIZE)
        shares = [tf.reduce_sum(probabilities * part, axis=1) for part in (hold, 1 - hold)]
        shares = _tempered(tf.stack(shares, axis=1), rhythm)
        apart = _drawn_apart(allowed, shares, hold, temperature, top_k, top_p)
        weights = tf.where((rhythm == JOINT)[:, None], weights, apart)
    # A running sum as a product: XLA's own is slow on a processor.
    summed = weights @ tf.linalg.band_part(tf.ones((VOCABULARY_SIZE, VOCABULARY_SIZE)), 0, -1)
    token = tf.reduce_sum(tf.cast(summed <= draws[:, None] * summed[:, -1:], tf.int32), axis=1)
    last = VOCABULARY_SIZE - 1 - tf.argmax(weights[:, ::-1] > 0, axis=1, output_type=tf.int32)
    fine = tf.reduce_all(tf.math.is_finite(probabilities), axis=1)
    fine &= tf.reduce_max(probabilities, axis=1) > 0
    return tf.where(fine, tf.minimum(token, last), NONE)


def _drawn_apart(
    probabilities: tf.Tensor,
    shares: tf.Tensor,
    hold: tf.Tensor,
    temperature: tf.Tensor,
    top_k: tf.Tensor | None,
    top_p: tf.Tensor | None,
) -> tf.Tensor:
    """How much each token weighs, (pieces, 47), if first is drawn, by `shares` (pieces, 2), whether
    the note before goes on or not; `hold` (pieces, 47) is 1 there.
    """
    moves = probabilities * (1 - hold)
    can_move = tf.reduce_any(moves > 0, axis=1, keepdims=True)
    pitches = _weights(tf.where(can_move, moves, hold), temperature, top_k, top_p)
    pitches /= tf.reduce_sum(pitches, axis=1, keepdims=True)
    return hold * shares[:, :1] + pitches * shares[:, 1:]


def _weights(
    probabilities: tf.Tensor,
    temperature: tf.Tensor,
    top_k: tf.Tensor | None,
    top_p: tf.Tensor | None,
) -> tf.Tensor:
    """How much each token weighs in the draw, (pieces, 47)."""
    weights = _tempered(probabilities, temperature)
    return weights if top_k is None else _truncated(weights, top_k, top_p)


def _tempered(probabilities: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Probabilities (pieces, n) at temperatures (pieces,), the largest as 1."""
    largest = tf.reduce_max(probabilities, axis=1, keepdims=True)
    exponents = tf.math.log(probabilities / largest) / tf.maximum(temperature, 1e-30)[:, None]
    likeliest = tf.one_hot(tf.argmax(probabilities, axis=1), probabilities.shape[1])
    return tf.where(temperature[:, None] > 0, tf.exp(exponents), likeliest)


def _truncated(weights: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """The weights (pieces, 47) without those that top-k and then top-p leave out."""
    own, others = weights[:, :, None], weights[:, None, :]
    token = tf.range(VOCABULARY_SIZE)
    heavier = (others > own) | ((others == own) & (token < token[:, None]))
    rank = tf.reduce_sum(tf.cast(heavier, tf.int32), axis=2)
    weights = tf.where(rank < top_k[:, None], weights, 0)
    share = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
    before = tf.reduce_sum(tf.where(heavier, share[:, None, :], 0), axis=2)
    # Sums are rounded: whatever they say, the likeliest is left, and at 1 are all.
    left = (before < top_p[:, None]) | (rank == 0) | (top_p[:, None] == 1)
    return tf.where(left, weights, 0)
