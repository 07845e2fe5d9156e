"""What a teacher of harmony marks first: how phrases end, what is wrong between voices, and loops.

Counted row by row while pieces are composed side by side, so that those with fewer faults go on.
The plan tells where phrases and bars end, and the tonic. Where it doesn't, nothing is counted that
needs it. Chords and stops are the ear's simplest ones; kantor.judging has finer words for all of
them.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from kantor.chorale import LOWEST, ROWS_PER_QUARTER, SILENCE, VOICES
from kantor.judging.standing import RANGES
from kantor.network.lookback import PERIOD
from kantor.plan import BAR, LEFT, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.sampling import counterpoint
from kantor.system.runtime import tf

OCTAVE = 12
# Semitones above the bass.
TRIADS = ((0, 4, 7), (0, 3, 7))
ENDINGS = (*TRIADS, (0, 4), (0, 3))
SEMITONES = (1, 11)
CADENCE_BASS = (5, 7)  # it leaps by a fourth or a fifth
WHOLE_TONE = 2  # and the soprano moves by no more; what is more is a leap
LOW, HIGH = zip(*RANGES, strict=True)
LONG_STOP = 6  # rows; few chords within a phrase of Bach's stand so long
LONGEST_STOP = 20  # rows; hardly any chord of Bach's stands so long but the last
LAST_ROWS = 16  # of a phrase, in which it may come to its stop
TRIPLE_BAR = 12  # rows of a bar with one strong beat; in others every second one is strong
SLIGHT = 0.25  # of a fault: what Bach has some of
LAST_CHORD = 2.0  # faults; nothing after it can make up for it
TWICE = 2  # times that a passage may have been there before; Bach's are hardly ever


class Standing(NamedTuple):
    """Of the chord that sounds in each piece: for how many rows, int32 (pieces,), and whether it
    came as a cadence does, bool (pieces,).
    """

    rows: tf.Tensor
    cadence: tf.Tensor


def standing(pieces: int) -> Standing:
    """Before the first row."""
    return Standing(tf.zeros(pieces, tf.int32), tf.zeros(pieces, bool))


def count(
    before: tf.Tensor, notes: tf.Tensor, plan: tf.Tensor, chord: Standing
) -> tuple[tf.Tensor, Standing]:
    """The faults of a row, float32 (pieces,), and how its chord stands.

    `before` and `notes` are tokens, int32 (pieces, 4), of the row before, whose `chord` stood as
    that says, and of this row; `plan`, int32 (pieces, 6), is this row's. Faults are

    - a stop, long or after a cadence, where no phrase ends; a very long one anywhere;
    - at the end of a phrase: a chord that moves within the last quarter; one that isn't a triad in
      root position, its fifth missing or not; one that began on a weak beat;
    - at the end of the piece: a chord that isn't a triad on the tonic, fifth and all: two faults;
    - a quarter of a fault each: a semitone or its inversion between two voices that both move
      there; two voices that move from a fifth to a fifth or from an octave to an octave, in the
      same direction or not; outer voices that move in the same direction to a fifth or an octave,
      the soprano by leap; a voice that moves out of its range.
    """
    moves, sounds, pitches = notes - before, notes > SILENCE, notes + (LOWEST - 1)
    moved = tf.reduce_any(moves != 0, axis=1)
    leap, step = tf.abs(moves[:, -1]), tf.abs(moves[:, 0])
    cadence = _one_of(leap, CADENCE_BASS) & (step <= WHOLE_TONE)
    cadence &= tf.reduce_all(before > SILENCE, axis=1)
    chord = Standing(tf.where(moved, 1, chord.rows + 1), tf.where(moved, cadence, chord.cadence))
    bar, place, phrase, left = (plan[:, column] for column in (BAR, PLACE, PHRASE, LEFT))
    inner = phrase > LAST_ROWS - chord.rows
    stop = (chord.rows == LONG_STOP) | (chord.cadence & (chord.rows == ROWS_PER_QUARTER))
    early = inner & stop & tf.reduce_all(sounds, axis=1)

    beat = (place - chord.rows + 1) % tf.maximum(bar, 1)
    strong = tf.where(bar == TRIPLE_BAR, beat == 0, beat % (2 * ROWS_PER_QUARTER) == 0)
    placed = (bar != UNKNOWN) & (place != UNKNOWN)
    last = phrase == 1
    tonic = plan[:, TONIC]
    on_tonic = (tonic == UNKNOWN) | (pitches[:, -1] % OCTAVE == tonic)
    marks = [
        early,
        chord.rows == LONGEST_STOP,
        last & (chord.rows < ROWS_PER_QUARTER),
        last & ~_chord_of(notes, ENDINGS),
        last & placed & ~strong,
    ]
    off = (left == 1) & ~(_chord_of(notes, TRIADS) & on_tonic)
    arrives = (moves != 0) & sounds
    strained = tf.reduce_any(arrives & ((pitches < LOW) | (pitches > HIGH)), axis=1)
    between = [_clashes(notes, arrives), _parallels(before, notes), _direct(before, notes)]
    return _sum(marks) + LAST_CHORD * _sum([off]) + SLIGHT * _sum([strained, *between]), chord


def loops(alike: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
    """The faults, float32 (pieces,), of pieces that go round in circles: at the beginning of each
    period of 16 rows it is one if the period before has been there twice already, in all voices.

    `alike` is that of kantor.network.lookback as it looks back from this row.
    """
    again = tf.reduce_sum(tf.cast(alike[:, 0] >= PERIOD, tf.int32), axis=1)
    return _sum([(again >= TWICE) & (row % PERIOD == 0)])


def _sum(marks: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.cast(mark, tf.float32) for mark in marks])


def _one_of(values: tf.Tensor, options: Sequence[int]) -> tf.Tensor:
    return tf.reduce_any([values == option for option in options], axis=0)


def _chord_of(notes: tf.Tensor, chords: Sequence[tuple[int, ...]]) -> tf.Tensor:
    """Whether four voices sound one of the chords, given above their bass: bool (pieces,)."""
    above = tf.one_hot((notes - notes[:, -1:]) % OCTAVE, OCTAVE, True, False)
    there = tf.reduce_any(above, axis=1)
    same = [
        tf.reduce_all(there == [step in chord for step in range(OCTAVE)], axis=1)
        for chord in chords
    ]
    return tf.reduce_any(same, axis=0) & tf.reduce_all(notes > SILENCE, axis=1)


def _parallels(before: tf.Tensor, notes: tf.Tensor) -> tf.Tensor:
    """Whether two voices move from a fifth to a fifth or from an octave to one: bool (pieces,)."""
    decided = tf.ones_like(notes, tf.bool)
    wrong = []
    for voice in range(1, len(VOICES)):
        forbidden = counterpoint.parallels(before, notes, decided, voice)
        wrong.append(tf.gather(forbidden, notes[:, voice], axis=1, batch_dims=1))
    return tf.reduce_any(wrong, axis=0)


def _direct(before: tf.Tensor, notes: tf.Tensor) -> tf.Tensor:
    """Whether the outer voices move in the same direction to a fifth or octave from another
    interval, the soprano by leap: bool (pieces,).
    """
    was, now = before[:, :: len(VOICES) - 1], notes[:, :: len(VOICES) - 1]
    high, low = tf.unstack(now - was, axis=1)
    first, second = (tf.abs(outer[:, 0] - outer[:, 1]) % OCTAVE for outer in (was, now))
    reached = (first != second) & _one_of(second, counterpoint.PERFECT)
    sound = tf.reduce_all((was > SILENCE) & (now > SILENCE), axis=1)
    return sound & reached & (high * low > 0) & (tf.abs(high) > WHOLE_TONE)


def _clashes(notes: tf.Tensor, arrives: tf.Tensor) -> tf.Tensor:
    """Whether two voices that arrive, bool (pieces, 4), are a semitone apart: bool (pieces,)."""
    pairs = [
        _one_of(tf.abs(notes[:, one] - notes[:, other]) % OCTAVE, SEMITONES)
        & arrives[:, one]
        & arrives[:, other]
        for one, other in combinations(range(len(VOICES)), 2)
    ]
    return tf.reduce_any(pairs, axis=0)
