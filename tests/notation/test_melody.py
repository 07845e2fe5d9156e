import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import chord, instrument, meter, note, stream

from helpers.melodies import Tune, abc, part, tunes, written
from kantor import chorale, details
from kantor.details import UNKNOWN
from kantor.metadata import Metadata
from kantor.notation import melody
from kantor.system.errors import KantorError

TUNE = Tune(
    np.repeat([67, 69, 69, 0, 71], [4, 4, 4, 2, 6]),
    np.isin(np.arange(20), [0, 4, 8, 14]).astype(int),
    "4/4",
    4,
)


def notes(*lengths, name=None):
    """A part of notes of some quarters, each a step higher."""
    made = stream.Part([meter.TimeSignature("4/4")])
    made.append([note.Note(60 + n, quarterLength=length) for n, length in enumerate(lengths)])
    made.partName = name
    return made


def pitches(voice):
    """The pitch of each run and its rows."""
    ends = chorale.runs(voice.line, voice.struck)
    return [(int(voice.line[begin]), end - begin) for begin, end in ends]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("melodies")


@given(tune=tunes())
def test_what_is_written_as_musicxml_is_read_again(folder, tune):
    voice = melody.read(written(folder, part(tune)), "soprano")
    assert voice.line.tolist() == tune.line.tolist()
    assert voice.struck.tolist() == tune.struck.tolist()
    assert voice.metadata.metre == tune.metre and voice.metadata.pickup == tune.pickup / 4
    assert np.flatnonzero(voice.details.place == 0)[:1] in (tune.pickup, [])
    assert voice.details.fermata[-1] == 1 and not voice.remarks


@pytest.mark.parametrize("suffix", [".mxl", ".mid"])
def test_other_formats_tell_the_same_notes(tmp_path, suffix):
    voice = melody.read(written(tmp_path, part(TUNE), suffix=suffix), "bass")
    assert voice.line.tolist() == TUNE.line.tolist()
    assert voice.struck.tolist() == TUNE.struck.tolist()
    assert voice.details.struck[:, 3].tolist() == TUNE.struck.tolist()
    assert (voice.details.struck[:, :3] == UNKNOWN).all()


def test_midi_tells_neither_pickup_nor_mode_nor_fermatas(tmp_path):
    voice = melody.read(written(tmp_path, part(TUNE), suffix=".mid"), "soprano")
    assert voice.metadata == Metadata(rows=20, signature=0, metre="4/4")
    assert set(voice.details.place) == set(voice.details.fermata) == {UNKNOWN}
    assert set(voice.details.bar) == {16}


def test_abc_tells_key_and_pickup_and_its_repeats_are_played(tmp_path):
    voice = melody.read(abc(tmp_path, '|:"G"D|"G"GA"D7"Bc|d3:|g4'), "soprano")
    once = [(62, 4), (67, 4), (69, 4), (71, 4), (72, 4), (74, 12)]
    assert pitches(voice) == [*once, *once, (79, 16)]
    assert voice.metadata == Metadata(
        rows=80, key="G", mode="major", signature=1, metre="4/4", pickup=1.0
    )
    assert voice.remarks == ["repeats are played"]


@pytest.mark.parametrize(
    ("name", "key", "mode"), [("Ador", "A", "minor"), ("Bb", "Bb", "major"), ("Dmix", "D", "major")]
)
def test_a_mode_is_major_or_minor_by_its_third(tmp_path, name, key, mode):
    metadata = melody.read(
        abc(tmp_path, "A4", f"X:1\nM:4/4\nL:1/4\nK:{name}\n"), "soprano"
    ).metadata
    assert (metadata.key, metadata.mode) == (key, mode)


def test_kern_tells_bars_and_fermatas(tmp_path):
    path = tmp_path / "tune.krn"
    path.write_text("**kern\n*G:\n*k[f#]\n*M3/4\n4g\n=1\n4a\n2b;\n=2\n[2a\n4a]\n=3\n2r\n*-\n")
    voice = melody.read(path, "soprano")
    assert pitches(voice) == [(67, 4), (69, 4), (71, 8), (69, 12)]
    assert np.flatnonzero(voice.details.fermata).tolist() == [*range(8, 16)]
    assert voice.details.place.tolist() == [8, 9, 10, 11, *range(12), *range(12)]
    assert (voice.metadata.key, voice.metadata.mode, voice.metadata.pickup) == ("G", "major", 1.0)


def test_a_clarinet_is_read_as_it_sounds(tmp_path):
    clarinet = part(TUNE)
    clarinet.removeByClass(instrument.Instrument)
    for bar in clarinet[stream.Measure]:
        bar.removeByClass(instrument.Instrument)
    clarinet.insert(0, instrument.Clarinet())
    clarinet.atSoundingPitch = True
    path = written(tmp_path, clarinet.toWrittenPitch())
    assert "<transpose>" in path.read_text() and "<step>C</step>" in path.read_text()
    assert melody.read(path, "soprano").line.tolist() == TUNE.line.tolist()


def test_a_triplet_is_refused_and_rounded_where_that_is_asked_for(tmp_path):
    path = abc(tmp_path, "GA(3B/c/d/ e|d4")
    with pytest.raises(
        KantorError,
        match=r"tune\.abc, bar 1, beat 3: B4 lasts 0\.333 quarters from there; expected sixteenths "
        "or longer; add --round to round it",
    ):
        melody.read(path, "soprano")
    voice = melody.read(path, "soprano", round_notes=True)
    rounded = [(67, 4), (69, 4), (71, 1), (72, 2), (74, 1), (76, 4), (74, 16)]
    assert pitches(voice) == rounded
    assert voice.remarks == [
        "bar 1, beat 3: B4 is rounded to 1 sixteenth from bar 1, beat 3",
        "bar 1, beat 3.33333: C5 is rounded to 2 sixteenths from bar 1, beat 3.25",
        "bar 1, beat 3.66667: D5 is rounded to 1 sixteenth from bar 1, beat 3.75",
    ]


def test_a_short_note_keeps_a_sixteenth_unless_a_later_note_has_it(tmp_path):
    path = written(tmp_path, notes(0.125, 0.125, 0.75, 1, 2, 0.0625))
    voice = melody.read(path, "soprano", round_notes=True)
    assert pitches(voice) == [(60, 1), (62, 3), (63, 4), (64, 8), (65, 1)]
    assert "bar 1, beat 1.125: C#4 is dropped; no sixteenth is left for it" in voice.remarks


def test_not_every_rounded_note_gets_a_sentence(tmp_path):
    path = written(tmp_path, notes(0.5, *[1 / 3] * 25))
    remarks = melody.read(path, "soprano", round_notes=True).remarks
    assert len(remarks) == 21 and remarks[-1] == "and 5 more notes are rounded"


@given(st.lists(st.integers(0, 12), min_size=1, max_size=12).filter(any))
def test_rounding_leaves_notes_that_fit_as_they_are(folder, lengths):
    whole = [(60 + n, rows) for n, rows in enumerate(filter(None, lengths))]
    path = written(folder, notes(*(rows / 4 for _, rows in whole)))
    assert pitches(melody.read(path, "soprano", round_notes=True)) == whole


def test_ties_that_meet_between_sixteenths_are_one_note(tmp_path):
    voice = melody.read(abc(tmp_path, "G7/8-G/8-G|A2"), "soprano")
    assert pitches(voice) == [(67, 8), (69, 8)]


def test_grace_notes_are_left_out_and_said_so_once(tmp_path):
    voice = notes(1, 1)
    for offset in (0, 1):
        voice.insert(offset, note.Note("B5").getGrace())
    read = melody.read(written(tmp_path, voice), "soprano")
    assert pitches(read) == [(60, 4), (61, 4)] and read.remarks == ["grace notes are left out"]


def test_of_chords_and_two_voices_the_highest_note_counts(tmp_path):
    chords = stream.Part([chord.Chord(["C4", "G4"]), chord.Chord(["C4", "A4"])])
    voices = stream.Part([stream.Measure([stream.Voice(), stream.Voice()])])
    upper, lower = voices.recurse().getElementsByClass(stream.Voice)
    upper.append([note.Note(67), note.Rest(), note.Note(67)])
    lower.append([note.Note(60, quarterLength=2), note.Note(60)])
    for made, expected in [
        (chords, [(67, 4), (69, 4)]),
        (voices, [(67, 4), (60, 4), (67, 4)]),
    ]:
        voice = melody.read(written(tmp_path, made), "soprano")
        assert pitches(voice) == expected
        assert voice.remarks == ["where several notes sound at once, the highest counts"]


def test_of_several_parts_the_one_with_the_name_counts(tmp_path):
    path = written(tmp_path, notes(4, name="Flute"), notes(1, 1, 2, name="ALTO"))
    assert len(pitches(melody.read(path, "alto"))) == 3
    with pytest.raises(KantorError, match=r"2 parts \(Flute, ALTO\); expected .* named Soprano"):
        melody.read(path, "soprano")


def test_four_parts_of_other_names_are_the_voices_from_the_top(tmp_path):
    path = written(tmp_path, *(notes(*[4 / n] * n, name="Viol") for n in (1, 2, 4, 8)))
    assert [len(pitches(melody.read(path, voice))) for voice in chorale.VOICES] == [1, 2, 4, 8]


def test_a_csv_has_a_column_for_the_voice(tmp_path):
    grid = np.tile([70, 65, 62, 46], (8, 1))
    grid[:2, 0] = grid[6:, 0] = 0
    path = tmp_path / "piece.csv"
    path.write_text(chorale.to_csv(grid))
    assert melody.read(path, "soprano").line.tolist() == [0, 0, 70, 70, 70, 70]
    struck = np.isin(np.arange(8), [0, 4])[:, None].astype(int) * [[0, 1, 1, 1]]
    struck[2, 0] = 1
    extras = details.unknown(8)._replace(struck=struck, fermata=np.zeros(8, int))
    details.file_beside(path).write_text(details.to_csv(extras))
    voice = melody.read(path, "bass")
    assert voice.struck.tolist() == [1, 0, 0, 0, 1, 0, 0, 0]
    assert (voice.details.struck[:, :3] == UNKNOWN).all() and not voice.details.fermata.any()
    assert melody.read(path, "soprano").struck.tolist() == [0, 0, 1, 0, 0, 0]


def test_what_has_no_melody_is_told(tmp_path):
    with pytest.raises(KantorError, match=r"tune\.abc: no notes"):
        melody.read(abc(tmp_path, "z4|z4"), "soprano")
    with pytest.raises(KantorError, match=r"2 pieces; expected a file of one"):
        melody.read(abc(tmp_path, "G4|]\n\nX:2\nM:4/4\nL:1/4\nK:G\nA4"), "soprano")
    silent = tmp_path / "silent.csv"
    silent.write_text(chorale.to_csv(np.array([[0, 60, 55, 48]])))
    with pytest.raises(KantorError, match=r"silent\.csv: no notes in the soprano"):
        melody.read(silent, "soprano")
    with pytest.raises(KantorError, match=r"none\.abc: no such file"):
        melody.read(tmp_path / "none.abc", "soprano")


@pytest.mark.parametrize(
    ("line", "shift"),
    [
        ([60, 0, 72], 0),
        ([48, 0, 60], 12),
        ([36, 40], 24),
        ([84, 86], -12),
        ([59, 79], 1),
        ([62, 82], -1),
    ],
)
def test_a_melody_is_moved_by_octaves_where_they_fit(line, shift):
    assert melody.fitted(np.array(line), 60, 81) == shift


@given(st.lists(st.integers(0, 127), min_size=1).filter(any))
def test_a_melody_that_is_moved_is_in_the_range(line):
    line = np.array(line)
    sounding = line[line > 0]
    if np.ptp(sounding) > 21:
        with pytest.raises(KantorError, match=f"spans {np.ptp(sounding)} semitones; .* most 21"):
            melody.fitted(line, 60, 81)
        return
    shift = melody.fitted(line, 60, 81)
    assert sounding.min() + shift >= 60 and sounding.max() + shift <= 81
    assert shift == 0 or sounding.min() < 60 or sounding.max() > 81
