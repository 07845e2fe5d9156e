from fractions import Fraction

import numpy as np
import pytest
from music21 import chord, expressions, key, meter, note, stream, tie

from helpers import scores
from helpers.scores import written
from kantor.details import NO_SIGNATURE, UNKNOWN
from kantor.metadata import Metadata
from kantor.notation import reading, score
from kantor.system.errors import KantorError


def parts(*names):
    """A score with a part for each name, of one note, higher from part to part."""
    made = stream.Score()
    for number, name in enumerate(names):
        part = stream.Part([note.Note(60 + number)])
        part.partName = name
        made.insert(0, part)
    return made


def read(made, folder):
    made.write("musicxml", folder / "x.musicxml")
    return reading.read(folder / "x.musicxml")


@pytest.mark.parametrize(("kind", "pickup"), [(".musicxml", 1.0), (".mid", 0.0)])
def test_a_score_tells_its_setting(tmp_path, kind, pickup):
    grid = scores.chord(20, 67, 63, 60, 48)
    path, _ = written(tmp_path, grid, score.Setting(-3, "minor", "3/4", 1.0))
    _, metadata, _ = reading.read(path.with_suffix(kind))
    # MIDI knows no pickup.
    assert metadata == Metadata(signature=-3, metre="3/4", pickup=pickup)
    setting = score.setting_for(grid, metadata)
    assert setting == score.Setting(-3, "minor", "3/4", pickup)


def test_parts_named_after_voices_may_be_in_any_order_and_one_may_be_missing(tmp_path):
    grid, *_ = read(parts("Bass", "Soprano", "Alto"), tmp_path)
    assert grid[0].tolist() == [61, 62, 0, 60]


def test_four_parts_of_other_names_are_the_voices_from_the_top(tmp_path):
    grid, *_ = read(parts("Violin", "Violin", "Viola", "Cello"), tmp_path)
    assert grid[0].tolist() == [60, 61, 62, 63]


def test_of_several_notes_at_once_the_highest_counts_and_grace_notes_do_not():
    part = stream.Part([chord.Chord(["C4", "G4"], quarterLength=0.5), note.Note("F4")])
    part.insert(0.5, note.Note("B4").getGrace())
    grid = reading.sample([part, stream.Part(), stream.Part(), stream.Part()])
    assert grid[:, 0].tolist() == [67, 67, 65, 65, 65, 65] and not grid[:, 1:].any()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_voices_in_a_part_the_higher_counts_with_what_it_strikes(order):
    below = [note.Note("G4", quarterLength=1), note.Note("F4", quarterLength=3)]
    below[1].expressions.append(expressions.Fermata())
    voices = [stream.Voice(line(2, 2, pitch="C5")), stream.Voice(below)]
    bar = stream.Measure([meter.TimeSignature("4/4")])
    for number in order:
        bar.insert(0, voices[number])
    part = stream.Part([bar])
    grid = reading.sample([part, stream.Part(), stream.Part(), stream.Part()])
    details = read_details(part)
    assert grid[:, 0].tolist() == 16 * [72]
    assert np.flatnonzero(details.struck[:, 0]).tolist() == [0, 8]
    assert not details.fermata.any()


def test_a_note_sounds_in_every_sixteenth_whose_start_it_covers():
    triplet = [note.Note(60 + n, quarterLength=Fraction(1, 3)) for n in range(3)]
    grid = reading.sample([stream.Part(triplet), stream.Part(), stream.Part(), stream.Part()])
    assert grid[:, 0].tolist() == [60, 60, 61, 62]


def read_details(part):
    parts = [part, stream.Part(), stream.Part(), stream.Part()]
    return reading.score_details(parts, reading.sample(parts))


def line(*lengths, pitch=60):
    return [note.Note(pitch, quarterLength=length) for length in lengths]


def bars(metre, *lengths, pickup=False):
    """A part of bars of one note each, that are as long as it; the metre may be None."""
    part = stream.Part()
    for number, length in enumerate(lengths):
        bar = stream.Measure(line(length), number=number)
        if number == 0 and metre:
            bar.timeSignature = meter.TimeSignature(metre)
        if number == 0 and pickup:
            bar.padAsAnacrusis()
        part.append(bar)
    return part


def test_a_repeated_note_is_struck_and_a_tied_one_goes_on():
    notes = line(0.5, 0.5, 0.5, 0.5)
    notes[1].tie, notes[2].tie = tie.Tie("start"), tie.Tie("stop")
    struck = read_details(stream.Part(notes)).struck
    assert struck[:, 0].tolist() == [1, 0, 1, 0, 0, 0, 1, 0]
    assert not struck[:, 1:].any()


def test_a_note_too_short_to_be_sampled_is_struck_where_its_tie_leads():
    notes = line(0.375, 0.125, 0.5)
    notes[1].tie, notes[2].tie = tie.Tie("start"), tie.Tie("stop")
    notes[0].pitch = notes[1].pitch
    assert read_details(stream.Part(notes)).struck[:, 0].tolist() == [1, 0, 1, 0]


def test_a_fermata_lasts_as_long_as_its_note_with_all_its_ties():
    notes = line(0.5, 0.5, 0.5, 0.5)
    notes[1].tie, notes[2].tie = tie.Tie("start"), tie.Tie("stop")
    notes[2].expressions.append(expressions.Fermata())
    assert read_details(stream.Part(notes)).fermata.tolist() == [0, 0, 1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("part", "bar", "places"),
    [
        (bars("3/4", 1, 3, pickup=True), 12, [*range(8, 12), *range(12)]),
        (bars("3/4", 1, 3), 12, [*range(8, 12), *range(12)]),
        # A bar that a repeat cuts in two, and one that is just short.
        (bars("4/4", 4, 3, 1, 4), 16, [*range(16)] * 3),
        (bars("4/4", 4, 3, 4), 16, [*range(16), *range(12), *range(16)]),
        # An upbeat to the next part; what just ends the piece.
        (bars("4/4", 4, 4, 1, 4), 16, [*range(16), *range(16), 12, 13, 14, 15, *range(16)]),
        (bars("4/4", 4, 4, 1), 16, [*range(16), *range(16), *range(4)]),
        (bars("4/4", 4, 1, 3, 4), 16, [*range(16)] * 3),
        (bars("3/32", 1, 1), -1, [-1] * 8),
        (bars(None, 1, 1), -1, [-1] * 8),
        (stream.Part(line(1, 1)), -1, [-1] * 8),
    ],
)
def test_places_are_counted_in_bars(part, bar, places):
    details = read_details(part)
    assert details.bar.tolist() == [bar] * len(places)
    assert details.place.tolist() == places


def test_a_short_bar_is_not_filled_up_in_another_metre():
    part = bars("3/4", 3, 2, 1, 4)
    part[stream.Measure][2].timeSignature = meter.TimeSignature("4/4")
    places = [*range(12), *range(8), *range(12, 16), *range(16)]
    assert read_details(part).place.tolist() == places


def test_metre_and_signature_change_where_the_score_says_so():
    part = bars("4/4", 4, 3)
    second = part[stream.Measure].last()
    second.timeSignature = meter.TimeSignature("3/4")
    second.insert(0, key.KeySignature(-2))
    details = read_details(part)
    assert details.bar.tolist() == [16] * 16 + [12] * 12
    assert details.place.tolist() == [*range(16), *range(12)]
    assert details.signature.tolist() == [NO_SIGNATURE] * 16 + [-2] * 12


def test_a_file_tells_its_details_and_midi_no_fermatas_and_no_places(tmp_path):
    grid = np.concatenate([scores.chord(4, 67, 64, 60, 48), scores.chord(12, 65, 62, 59, 55)])
    path, midi = written(tmp_path, grid, score.Setting(-1, "major", "3/4", 1.0))
    details = reading.read(path)[2]
    assert details.place.tolist() == [8, 9, 10, 11, *range(12)]
    assert details.fermata.tolist() == [0] * 4 + [1] * 12
    assert set(details.bar) == {12} and set(details.signature) == {-1}
    assert np.flatnonzero(details.struck.all(axis=1)).tolist() == [0, 4]
    heard = reading.read(midi)[2]
    assert set(heard.place) == {UNKNOWN} and set(heard.fermata) == {UNKNOWN}
    assert np.array_equal(heard.struck, details.struck) and set(heard.bar) == {12}


KERN = """**kern\t**kern\t**kern\t**kern
*k[f#]\t*k[f#]\t*k[f#]\t*k[f#]
*M4/4\t*M4/4\t*M4/4\t*M4/4
4G\t4B\t4d\t4g
=1\t=1\t=1\t=1
4G\t4B\t4d\t4g
2G;\t2B;\t2d;\t2g;
[4G\t[4B\t[4d\t[4g
=2\t=2\t=2\t=2
2G]\t2B]\t2d]\t2g]
*-\t*-\t*-\t*-
"""


def test_kern_tells_its_details_too(tmp_path):
    (tmp_path / "x.krn").write_text(KERN)
    grid, _, details = reading.read(tmp_path / "x.krn")
    assert grid[0].tolist() == [67, 62, 59, 55]
    assert details.place.tolist() == [12, 13, 14, 15, *range(16), *range(8)]
    assert np.flatnonzero(details.struck[:, 0]).tolist() == [0, 4, 8, 16]
    assert np.flatnonzero(details.fermata).tolist() == list(range(8, 16))
    assert set(details.signature) == {1}


def test_what_is_no_score_of_four_parts_is_told(tmp_path):
    path = tmp_path / "x.musicxml"
    path.write_text("not a score")
    with pytest.raises(KantorError, match="not a score that music21 can read"):
        reading.read(path)
    silent = stream.Score([stream.Part([note.Rest()]) for _ in range(4)])
    with pytest.raises(KantorError, match=r"x\.musicxml: no notes"):
        read(silent, tmp_path)
    with pytest.raises(KantorError, match="5 parts"):
        read(parts("Violin", "Violin", "Viola", "Viola", "Cello"), tmp_path)


@pytest.mark.parametrize("others", [("Alto", "Bass"), ("Violin", "Viola")])
def test_two_parts_of_one_voice_are_told(tmp_path, others):
    with pytest.raises(KantorError, match=r"2 parts are named Soprano; expected one of each voice"):
        read(parts("Soprano", "soprano", *others), tmp_path)


def test_silence_after_the_last_note_is_not_part_of_it(tmp_path):
    path, _ = written(
        tmp_path, np.concatenate([scores.chord(4, 67, 0, 0, 43), scores.chord(6, 0, 0, 0, 0)])
    )
    grid, *_ = reading.read(path)
    assert len(grid) == 4
