"""The rules one by one, on a few notes, and all of them beside plain Python on many."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays
from music21 import note, voiceLeading

from helpers import chorales
from helpers.counterpoint import by_hand
from helpers.music import grids, random_grid
from kantor.judging import counterpoint, spelling, standing

# Few pitches, so that rules meet; the rows are held in pairs to have passing notes too.
dense = strategies.integers(1, 24).flatmap(
    lambda rows: arrays.arrays(
        np.int64, (rows, 4), elements=strategies.sampled_from([0, *range(55, 80)])
    )
)


def grid(*rows, length=4):
    """Each chord for `length` rows."""
    return np.array(rows).repeat(length, axis=0)


def kinds(*rows, length=4):
    return [error.kind for error in counterpoint.errors(grid(*rows, length=length))]


def listed(music):
    return {error[:3] for error in counterpoint.errors(music)}


@pytest.mark.parametrize(
    ("rows", "kind", "voices"),
    [
        ([(67, 64, 60, 48), (69, 65, 62, 53)], "parallel fifths", (0, 2)),
        ([(67, 64, 60, 48), (69, 65, 60, 50)], "fifths by contrary motion", None),
        ([(67, 64, 60, 48), (65, 60, 57, 50)], "parallel octaves", None),
        ([(72, 64, 60, 48), (74, 65, 57, 50)], "parallel octaves", (0, 3)),
        ([(72, 64, 55, 48), (74, 66, 57, 38)], "octaves by contrary motion", (0, 3)),
        ([(67, 64, 60, 48), (69, 66, 60, 38)], "fifths by contrary motion", (0, 3)),
        ([(67, 64, 60, 52), (74, 65, 59, 55)], "direct fifths", (0, 3)),
        ([(67, 64, 60, 52), (72, 64, 60, 60)], "direct octaves", (0, 3)),
        ([(67, 64, 60, 52), (67, 69, 60, 52)], "crossing", (0, 1)),
        ([(67, 64, 60, 52), (72, 69, 60, 52)], "overlap", (0, 1)),
        ([(67, 60, 60, 52), (74, 60, 60, 52)], "spacing", (0, 1)),
        ([(67, 64, 60, 40), (67, 64, 60, 63)], "range", (3,)),
        ([(67, 64, 60, 52), (67, 64, 60, 46)], "leap", (3,)),
        ([(69, 65, 60, 53), (68, 68, 59, 52)], "augmented second", (1,)),
        ([(71, 65, 62, 55), (67, 64, 60, 60)], "unresolved leading note", (0,)),
        ([(67, 64, 60, 48), (72, 71, 67, 52)], "struck dissonance", (0, 1)),
        ([(67, 64, 60, 48), (67, 0, 60, 48), (67, 64, 60, 48)], "silence inside", (1,)),
    ],
)
def test_each_kind(rows, kind, voices):
    errors = [error for error in counterpoint.errors(grid(*rows)) if error.kind == kind]
    if voices is None:  # near the kind, but not it
        assert not errors
    else:
        assert [(error.row, error.voices) for error in errors] == [(4, voices)]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        # One voice stays: no motion of both.
        ([(67, 64, 60, 48), (67, 64, 60, 60)], "parallel octaves"),
        # Crossed voices a fourth apart are no fifth.
        ([(70, 60, 65, 48), (70, 62, 67, 50)], "parallel fifths"),
        # The soprano goes by step.
        ([(67, 64, 60, 52), (69, 65, 57, 62)], "direct fifths"),
        # An octave is no wide spacing, and tenor and bass may be any distance apart.
        ([(72, 60, 60, 36), (74, 62, 62, 38)], "spacing"),
        # Octaves may be leapt.
        ([(67, 64, 60, 48), (67, 64, 60, 60)], "leap"),
        # A minor third of A minor, and one between two dominants.
        ([(69, 64, 60, 57), (72, 64, 57, 57)], "augmented second"),
        ([(67, 67, 58, 51), (67, 64, 60, 48)], "augmented second"),
        ([(67, 64, 60, 48), (67, 67, 58, 51)], "augmented second"),
        # To the tonic; in an inner voice, to its fifth; and tonic to subdominant, with an F sharp.
        ([(71, 65, 62, 55), (72, 64, 60, 48)], "unresolved leading note"),
        ([(74, 71, 65, 55), (72, 67, 64, 48)], "unresolved leading note"),
        ([(69, 66, 62, 50), (67, 67, 59, 55), (72, 67, 64, 48)], "unresolved leading note"),
        # The seventh is prepared.
        ([(72, 67, 64, 48), (72, 65, 65, 61)], "struck dissonance"),
        # Rests before the first note and after the last are no silence inside.
        ([(0, 64, 60, 48), (67, 64, 60, 48), (0, 64, 60, 48)], "silence inside"),
    ],
)
def test_what_is_no_error(rows, kind):
    assert kind not in kinds(*rows)


def test_a_dissonance_counts_on_beats_only():
    music = grid((67, 64, 60, 48), (72, 71, 67, 52))
    assert "struck dissonance" not in [error.kind for error in counterpoint.errors(music[2:])]


@pytest.mark.parametrize("size", range(1, 20))
def test_leaps_by_size(size):
    for step in (size, -size):
        leaps = kinds((67, 64, 60, 60), (67, 64, 60, 60 + step)).count("leap")
        assert leaps == (size in (6, 10, 11) or size > 12)


def test_the_key_is_heard_for_four_quarters_on_either_side():
    subdominant, dominant, tonic = (69, 65, 60, 57), (71, 67, 62, 55), (67, 64, 60, 48)
    f_sharp = (69, 66, 62, 50)
    music = np.array([subdominant] + [dominant] * 15 + [tonic] * 16 + [f_sharp] * 4)
    assert ("unresolved leading note", 16, (0,)) in listed(music)
    assert ("unresolved leading note", 15, (0,)) not in listed(music[1:])
    assert ("unresolved leading note", 16, (0,)) not in listed(np.delete(music, 20, axis=0))


def test_a_long_stretch_is_one_error():
    rows = [(67, 69, 60, 48), (65, 69, 60, 48), (67, 69, 60, 48), (72, 69, 60, 48)]
    assert kinds(*rows).count("crossing") == 1


def test_the_words_name_the_notes():
    (error,) = counterpoint.errors(grid((74, 70, 65, 55), (76, 72, 67, 57), length=8))[:1]
    assert error.words == "parallel fifths, soprano and bass: D5 over G3, then E5 over A3"


def test_unisons_are_called_so():
    errors = counterpoint.errors(grid((67, 60, 60, 48), (67, 62, 62, 48)))
    assert [error.words for error in errors if error.kind == "parallel octaves"] == [
        "parallel unisons, alto and tenor: C4 over C4, then D4 over D4"
    ]


@pytest.mark.parametrize(
    ("tonic", "names"),
    [
        (60, ["C4", "C#4", "D4", "D#4", "E4", "F4", "F#4", "G4", "G#4", "A4", "Bb4", "B4"]),
        (64, ["E4", "E#4", "F#4", "F##4", "G#4", "A4", "A#4", "B4", "B#4", "C#5", "D5", "D#5"]),
        (63, ["Eb4", "E4", "F4", "F#4", "G4", "Ab4", "A4", "Bb4", "B4", "C5", "Db5", "D5"]),
    ],
)
def test_names_follow_the_scale(tonic, names):
    scale = grid(*([tonic + step] * 4 for step in (0, 2, 4, 5, 7, 9, 11)))
    classes = spelling.names(spelling.signature(scale))
    assert [spelling.pitch_name(tonic + step, classes) for step in range(12)] == names


@given(music=strategies.one_of(grids, dense))
def test_they_are_the_errors_found_by_hand(music):
    assert listed(music) == by_hand(music)


def test_bachs_errors_are_those_found_by_hand():
    for music in chorales.of_split("test")[::8]:
        assert listed(music) == by_hand(music)


@given(music=dense, semitones=strategies.integers(-3, 2))
def test_another_key_changes_only_what_is_out_of_range(music, semitones):
    moved = np.where(music > 0, music + semitones, 0)
    assert {e for e in listed(music) if e[0] != "range"} == {
        e for e in listed(moved) if e[0] != "range"
    }


@given(music=grids)
def test_the_order_and_the_kinds(music):
    errors = counterpoint.errors(music)
    places = [(error.row, counterpoint.KINDS.index(error.kind)) for error in errors]
    assert places == sorted(places)
    assert len(listed(music)) == len(errors)


@given(music=dense)
def test_figures_are_counts_by_what_they_are_counted_among(music):
    numbers, figures = counterpoint.counts(music), counterpoint.figures(music)
    assert list(figures) == list(numbers) == list(counterpoint.FIGURES)
    errors = by_hand(music)
    assert numbers["parallels"][0] == sum(kind.startswith("parallel") for kind, *_ in errors)
    moves = (music[1:] != music[:-1]) & (music[1:] > 0)
    assert numbers["leaps"][1] == moves.any(1).sum()
    for name, (number, base) in numbers.items():
        unit = 1 if name in counterpoint.SHARES else 100
        if base:
            assert figures[name] == unit * number / base
        else:
            assert math.isnan(figures[name])


def test_shares_of_a_small_piece():
    triad, clash, seventh = (72, 67, 64, 48), (76, 72, 71, 48), (74, 65, 59, 55)
    music = grid(triad, clash, seventh, (72, 64, 0, 48), triad)
    numbers = counterpoint.counts(music)
    assert numbers["struck_semitones"] == (1, 5)
    assert numbers["triads"] == (2, 5)  # not the bare third
    assert numbers["sevenths"] == (2, 5)  # the first one without its fifth
    assert numbers["silence"] == (4, 80)


def test_a_set_is_the_sum_of_its_pieces():
    pieces = [random_grid(40), random_grid(12, seed=3)]
    numbers = counterpoint.total(map(counterpoint.counts, pieces))
    for name in counterpoint.FIGURES:
        parts = [counterpoint.counts(piece)[name] for piece in pieces]
        assert numbers[name] == tuple(map(sum, zip(*parts, strict=True)))


@pytest.mark.parametrize("music", [np.zeros((0, 4), int), np.zeros((9, 4), int)])
def test_where_nothing_sounds_there_is_no_error_and_no_figure(music):
    assert counterpoint.errors(music) == []
    assert all(math.isnan(value) for value in counterpoint.figures(music).values())


def test_the_ranges_are_those_of_the_training_split():
    rows = np.concatenate(chorales.of_split("train"))
    for voice, ends in enumerate(standing.RANGES):
        sounding = rows[:, voice][rows[:, voice] > 0]
        limits = np.percentile(sounding, [0.1, 99.9], method="inverted_cdf")
        assert tuple(limits) == ends


# A grid can't tell a fifth from a diminished sixth, music21 can. On the line of fifths every
# spelling of twelve neighbours has one such wolf; each of these has it elsewhere.
SPELLINGS = [
    dict(zip([n * 7 % 12 for n in range(first, first + 12)], names, strict=True))
    for first, names in (
        (-3, ["E-", "B-", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#"]),
        (-6, ["G-", "D-", "A-", "E-", "B-", "F", "C", "G", "D", "A", "E", "B"]),
        (0, ["C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#"]),
    )
]


def quartet(last, now, upper, lower):
    """What music21 takes: two notes of the upper voice, two of the lower, with true fifths."""
    pitches = [last[upper], now[upper], last[lower], now[lower]]
    fifths = [tuple(sorted(pair)) for pair in (pitches[::2], pitches[1::2])]
    for line_of_fifths in SPELLINGS:
        line = list(line_of_fifths)
        wolf = {line[-1], line[0]}
        if not any({low % 12, high % 12} == wolf for low, high in fifths):
            break
    names = [f"{line_of_fifths[p % 12]}{p // 12 - 1}" for p in pitches]
    return voiceLeading.VoiceLeadingQuartet(*map(note.Note, names))


def test_parallels_are_those_of_music21():
    """On every two consecutive sonorities of every pair of voices. music21 calls motion in
    opposite directions parallel too, so both kinds together are compared. It takes a unison and
    an octave for different intervals, and here they are one: such places are set apart.
    """
    places = 0
    for music in chorales.of_split("test")[::5]:
        ours = listed(music)
        for upper, lower in combinations(range(4), 2):
            pair = music[:, [upper, lower]]
            rows = np.flatnonzero((pair[1:] != pair[:-1]).any(1) & pair[1:].all(1)) + 1
            for row in rows[pair[rows - 1].all(1)].tolist():
                last, now = music[row - 1].tolist(), music[row].tolist()
                theirs = quartet(last, now, upper, lower)
                unison = [chord[upper] == chord[lower] for chord in (last, now)]
                for name, there in (
                    ("fifths", theirs.parallelFifth()),
                    ("octaves", theirs.parallelOctave() or theirs.parallelUnison()),
                ):
                    names = (f"parallel {name}", f"{name} by contrary motion")
                    here = any((kind, row, (upper, lower)) in ours for kind in names)
                    if name == "fifths" or unison[0] == unison[1]:
                        assert here == there, (row, upper, lower, name)
                    places += here
    assert places
