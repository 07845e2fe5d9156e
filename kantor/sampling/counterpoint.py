"""Which notes the rule of counterpoint forbids that is broken most easily: no two voices move from
one fifth or octave to the next, as kantor.judging.motion counts them.
"""

from kantor.chorale import SILENCE, VOCABULARY_SIZE, VOICES
from kantor.system.runtime import tf

OCTAVE = 12
PERFECT = (0, 7)


def parallels(
    before: tf.Tensor, notes: tf.Tensor, decided: tf.Tensor, voice: int | tf.Tensor
) -> tf.Tensor:
    """The tokens of a voice that make parallels with another one: bool (pieces, 47).

    `before` and `notes`, int32 (pieces, 4), are the row before and the one that is composed;
    `decided`, bool (pieces, 4), says which of its notes are not to change any more.
    """
    tokens = tf.range(VOCABULARY_SIZE)
    own = tf.gather(before, voice, axis=1)
    forbidden = tf.zeros((before.shape[0], VOCABULARY_SIZE), bool)
    for other in range(len(VOICES)):
        was, now = before[:, other], notes[:, other]
        moves = (was != now) & (was > SILENCE) & (now > SILENCE) & (own > SILENCE)
        first = tf.abs(was - own) % OCTAVE
        perfect = tf.reduce_any([first == interval for interval in PERFECT], axis=0)
        again = tf.abs(now[:, None] - tokens) % OCTAVE == first[:, None]
        counts = decided[:, other] & (other != voice)
        forbidden |= again & (moves & perfect & counts)[:, None]
    return forbidden & (tokens > SILENCE) & (tokens != own[:, None])
