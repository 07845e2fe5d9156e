"""Faults of rows, by hand; and that particles with fewer of them go on."""

import numpy as np
import pytest

from helpers.networks import shared
from kantor import chorale, plan
from kantor.judging import motion
from kantor.judging.notes import Notes
from kantor.network import lookback
from kantor.params import SamplerOptions
from kantor.plan import BAR, PLACE, TONIC, UNKNOWN
from kantor.sampling import composing, faults
from kantor.sampling.faults import SLIGHT, Standing
from kantor.sampling.sampler import Request
from kantor.system.runtime import tf

C_MAJOR = (72, 67, 64, 48)
WITHOUT_FIFTH = (72, 64, 60, 48)
IN_INVERSION = (72, 67, 60, 52)
SEVENTH = (71, 65, 62, 55)
C_MINOR = (72, 67, 63, 48)
G_MAJOR = (71, 67, 62, 55)
CLASHING = (72, 71, 64, 48)


count = tf.function(faults.count, autograph=False)  # much quicker than one operation at a time


def marks(grid, plan_rows) -> list[float]:
    """The faults of each row of a grid (rows, 4) that begins after a silence."""
    tokens = chorale.encode(np.asarray(grid))
    before, chord, result = tf.zeros((1, 4), tf.int32), faults.standing(1), []
    for row, asked in zip(tokens, plan_rows, strict=True):
        notes = tf.constant(row[None])
        faulty, chord = count(before, notes, tf.constant(asked[None], tf.int32), chord)
        before = notes
        result.append(float(faulty[0]))
    return result


def held(*chords: tuple[tuple[int, ...], int]) -> list[tuple[int, ...]]:
    """Chords, each for so many rows."""
    return [chord for chord, rows in chords for _ in range(rows)]


def test_a_piece_that_ends_well_has_no_fault():
    grid = held((G_MAJOR, 4), (SEVENTH, 4), (C_MAJOR, 8))
    assert sum(marks(grid, plan.regular(0, 0, 16, 0, [16]))) == 0


def test_clashes_and_very_long_stops_count_without_a_plan():
    grid = held((G_MAJOR, 12), (SEVENTH, 1), (CLASHING, 20))
    assert sum(marks(grid, plan.unknown(len(grid)))) == SLIGHT + 1


@pytest.mark.parametrize(
    ("chord", "expected"),
    [
        (C_MAJOR, 0),
        (WITHOUT_FIFTH, 0),  # but not at the end of the piece
        (C_MINOR, 0),
        (G_MAJOR, 0),
        (IN_INVERSION, 1),
        (SEVENTH, 1),
        ((72, 67, 0, 48), 1),
    ],
)
def test_a_phrase_ends_on_a_triad_in_root_position(chord, expected):
    grid = held((G_MAJOR if chord == C_MAJOR else C_MAJOR, 8), (chord, 8), (C_MAJOR, 16))
    assert marks(grid, plan.regular(0, 0, 16, 0, [16, 32]))[15] == expected


@pytest.mark.parametrize(
    ("chord", "expected"),
    [(C_MAJOR, 0), (WITHOUT_FIFTH, 2), (G_MAJOR, 2), (C_MINOR, 0), (IN_INVERSION, 3)],
)
def test_a_piece_ends_on_the_tonic_with_its_fifth(chord, expected):
    grid = held((SEVENTH, 8), (chord, 8))
    assert marks(grid, plan.regular(0, 0, 16, 0, [16]))[15] == expected


def test_any_triad_ends_a_piece_whose_tonic_is_unknown():
    asked = plan.regular(0, 0, 16, 0, [16])
    asked[:, TONIC] = UNKNOWN
    assert sum(marks(held((C_MAJOR, 4), (SEVENTH, 4), (G_MAJOR, 8)), asked)) == 0


def test_a_phrase_ends_with_a_quarter_that_stands():
    asked = plan.regular(0, 0, 16, 0, [16, 32])
    grid = held((G_MAJOR, 14), (C_MAJOR, 18))
    assert marks(grid, asked)[15] == 2  # it began off the beat, too
    asked[:, [BAR, PLACE]] = UNKNOWN
    assert marks(grid, asked)[15] == 1


@pytest.mark.parametrize(
    ("bar", "start", "expected"),
    [(16, 0, 0), (16, 8, 0), (16, 4, 1), (16, 12, 1), (12, 0, 0), (12, 8, 1), (12, 4, 1)],
)
def test_the_last_chord_of_a_phrase_begins_on_a_strong_beat(bar, start, expected):
    rows = 16
    asked = plan.regular(0, 0, bar, 0, [rows + 8, 64])
    asked[:, PLACE] = (np.arange(64) - rows + start) % bar
    grid = held((G_MAJOR, rows - 3), (SEVENTH, 3), (C_MAJOR, 8), (G_MAJOR, 40))
    assert marks(grid, asked)[rows + 7] == expected


def test_a_stop_is_a_fault_where_no_phrase_ends():
    asked = plan.regular(0, 0, 16, 0, [64])
    quiet = held((SEVENTH, 4), (C_MAJOR, 5), (G_MAJOR, 5))
    assert sum(marks(held(*[(G_MAJOR, 5), (SEVENTH, 5)]), asked[:10])) == 0
    assert marks(held((SEVENTH, 4), (C_MINOR, 8)), asked[:12])[9] == 1, "six rows"
    cadence = marks(quiet, asked[: len(quiet)])
    assert cadence[7] == 1, "a quarter, which the bass reached by a fifth"
    near = asked[-12:]
    assert sum(marks(held((SEVENTH, 4), (C_MAJOR, 8)), near)) == 0, "where a phrase ends"


def test_a_bass_that_enters_is_no_cadence():
    rest = chorale.SILENCE
    low = (60, 55, 50, 42)  # from silence, which is token 0, to token 7
    grid = held(((60, 55, 50, rest), 4), (low, 4))
    assert sum(marks(grid, plan.regular(0, 0, 16, 0, [64])[: len(grid)])) == 0


def test_a_held_semitone_is_no_clash():
    grid = [(72, 67, 64, 48), (72, 71, 64, 48), (72, 71, 64, 50)]
    assert marks(grid, plan.unknown(3)) == [0, 0, 0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((72, 67, 64, 48), (74, 69, 65, 50), SLIGHT),  # octaves, and fifths of alto and bass
        ((72, 67, 60, 48), (74, 69, 60, 48), 0),  # fourths
        ((74, 67, 60, 53), (72, 65, 60, 53), SLIGHT),  # soprano and alto alone, a fifth each
        ((72, 67, 60, 48), (79, 67, 62, 48), 0),  # from an octave to a fifth
        ((72, 67, 60, 48), (74, 67, 61, 50), 2 * SLIGHT),  # octaves, and a semitone
        ((72, 67, 64, 48), (71, 67, 62, 55), 0),
        ((72, 65, 60, 53), (74, 65, 60, 43), SLIGHT),  # a twelfth after a twelfth, away
        ((72, 67, 64, 48), (72, 67, 64, 48), 0),
    ],
)
def test_parallels_are_slight_faults(first, second, expected):
    grid = [first, second]
    assert marks(grid, plan.unknown(2)) == [0, expected]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((67, 64, 60, 52), (72, 67, 60, 53), SLIGHT),  # up to a twelfth, from a tenth
        ((72, 65, 60, 53), (67, 65, 60, 48), 0),  # from a twelfth to the next: no direct ones
        ((72, 64, 60, 57), (69, 64, 60, 45), SLIGHT),  # down to an octave
        ((70, 67, 62, 52), (72, 67, 62, 53), 0),  # the soprano goes by step
        ((67, 64, 60, 57), (72, 64, 60, 53), 0),  # the outer voices go apart
        ((67, 64, 60, 52), (72, 67, 60, 57), 0),  # to a tenth
        ((67, 0, 60, 52), (72, 67, 60, 53), SLIGHT),  # whatever inner voices do
        ((0, 64, 60, 52), (72, 64, 60, 53), 0),
    ],
)
def test_direct_fifths_and_octaves_of_the_outer_voices_are_slight_faults(first, second, expected):
    parallels = SLIGHT * any(motion.parallels(Notes(np.array([first, second]))))
    assert marks([first, second], plan.unknown(2)) == [0, expected + parallels]
    assert SLIGHT * any(motion.direct(Notes(np.array([first, second])))) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((79, 0, 0, 0), (80, 0, 0, 0), SLIGHT),
        ((78, 0, 0, 0), (79, 0, 0, 0), 0),
        ((61, 0, 0, 0), (59, 0, 0, 0), SLIGHT),
        ((0, 73, 0, 0), (0, 74, 0, 0), SLIGHT),
        ((0, 0, 51, 0), (0, 0, 49, 0), SLIGHT),
        ((0, 0, 0, 60), (0, 0, 0, 64), SLIGHT),
        ((80, 0, 0, 60), (80, 0, 0, 62), 0),  # it was there before
        ((79, 0, 0, 60), (80, 0, 0, 64), SLIGHT),  # one of two voices is enough
        ((72, 0, 0, 0), (0, 0, 0, 0), 0),
    ],
)
def test_a_note_out_of_range_is_a_slight_fault(first, second, expected):
    assert marks([first, second], plan.unknown(2))[1] == expected


@pytest.mark.slow
def test_pieces_with_fewer_faults_go_on():
    """A random network composes clashes in most rows; of many pieces some have fewer."""

    def total(particles: int, penalty: float) -> float:
        options = SamplerOptions(particles=particles, penalty=penalty)
        requests = [Request(None, 16, seed, options) for seed in range(8)]
        grids = composing.compose(shared("rows"), requests)
        return sum(sum(marks(grid, plan.unknown(16))) for grid in grids)

    # Most faults of random rows are slight ones, so the penalty is a high one.
    assert total(16, 16.0) < total(16, 0.0) / 2


def test_standing_begins_with_nothing():
    chord = faults.standing(2)
    assert isinstance(chord, Standing)
    assert chord.rows.numpy().tolist() == [0, 0] and not chord.cadence.numpy().any()


def looped(times):
    """Where the faults of loops are, row by row, in a piece whose first two periods come so often,
    and of one that never repeats itself: (rows, 2).
    """
    rows = 2 * lookback.PERIOD
    once = np.random.default_rng(0).integers(1, 47, (rows, 4))
    grids = np.stack(
        [
            np.concatenate([once] * times),
            np.random.default_rng(1).integers(1, 47, (rows * times, 4)),
        ]
    )
    memory, marks = lookback.empty(2, grids.shape[1]), []
    for row in range(grids.shape[1]):
        _, memory = lookback.look_back(memory, tf.constant(row))
        marks.append(faults.loops(memory["alike"], tf.constant(row)).numpy())
        memory = lookback.remember(memory, tf.constant(row), tf.constant(grids[:, row], tf.int32))
    return np.stack(marks)


def test_what_comes_a_third_time_is_a_fault_once_a_period():
    assert not looped(2).any()
    marks = looped(4)
    assert np.flatnonzero(marks[:, 0]).tolist() == [80, 96, 112] and not marks[:, 1].any()
