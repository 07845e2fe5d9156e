import os
import shutil
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import Phase, given, settings, strategies
from music21 import midi, note, stream

from conftest import PROJECT, grids, random_grid
from kantor import chorale
from kantor.notation import score

SETTINGS = strategies.builds(
    score.Setting,
    strategies.integers(-7, 7),
    strategies.sampled_from(["major", "minor"]),
    strategies.sampled_from(["4/4", "3/4", "3/2", "12/8"]),
    strategies.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]),
)
SOUNDING = (midi.ChannelVoiceMessages.NOTE_ON, midi.ChannelVoiceMessages.NOTE_OFF)
IN_C = score.Setting(0, "major")
MUSESCORE = shutil.which("mscore3") or shutil.which("musescore") or shutil.which("mscore")


def written(folder, grid, setting=IN_C, tempo=160.0):
    path = folder / "piece"
    score.write(score.score(grid, setting, "A title", "A composer", tempo), path)
    return path.with_suffix(".musicxml"), path.with_suffix(".mid")


def chord(rows, *pitches):
    return np.array([pitches] * rows)


@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(grid=grids, setting=SETTINGS)
def test_what_is_written_reads_back_as_the_same_grid(tmp_path_factory, grid, setting):
    grid[-1, 0] = 60  # silence at the end is not part of a score
    for path in written(tmp_path_factory.mktemp("score"), grid, setting):
        np.testing.assert_array_equal(score.read(path), grid)


def test_a_midi_file_has_a_track_a_voice_the_tempo_and_held_notes(tmp_path):
    grid = np.concatenate([chord(6, 67, 62, 59, 43), chord(2, 67, 64, 0, 43)])
    _, path = written(tmp_path, grid, tempo=160.0)
    file = midi.MidiFile()
    file.open(path)
    file.read()
    file.close()
    assert file.format == 1 and len(file.tracks) == 4
    events = [
        [(e.type, e.data if e.type in midi.MetaEvents else e.pitch) for e in track.events]
        for track in file.tracks
    ]
    for voice, of_track in zip(chorale.VOICES, events, strict=True):
        assert (midi.MetaEvents.SEQUENCE_TRACK_NAME, voice.capitalize().encode()) in of_track
    channels = [{e.channel for e in track.events if e.type in SOUNDING} for track in file.tracks]
    assert channels == [{1}, {2}, {3}, {4}], "or voices on the same pitch would end each other"
    tempos = [data for kind, data in events[0] if kind == midi.MetaEvents.SET_TEMPO]
    assert [int.from_bytes(data, "big") for data in tempos] == [60_000_000 * 4 // 160]
    struck = [
        [value for kind, value in of_track if kind == midi.ChannelVoiceMessages.NOTE_ON]
        for of_track in events
    ]
    assert struck == [[67], [62, 64], [59], [43]]


def test_notes_are_tied_over_bar_lines_and_end_in_a_fermata(tmp_path):
    grid = np.concatenate([chord(4, 72, 64, 55, 48), chord(18, 71, 62, 55, 43)])
    path, _ = written(tmp_path, grid, score.Setting(0, "major", "3/4", 1.0))
    tree = ElementTree.parse(path)
    assert [part.findtext("part-name") for part in tree.iter("score-part")] == [
        "Soprano", "Alto", "Tenor", "Bass",
    ]  # fmt: skip
    for part in tree.iter("part"):
        divisions = int(part.findtext(".//divisions"))
        lengths = [
            sum(int(note.findtext("duration")) for note in bar.iter("note")) / divisions
            for bar in part.iter("measure")
        ]
        assert lengths == [1, 3, 1.5]
        fermatas = [note.find(".//fermata") is not None for note in part.iter("note")]
        assert fermatas[-1] and sum(fermatas) == 1
    soprano = next(tree.iter("part"))
    ties = [[tie.get("type") for tie in note.iter("tie")] for note in soprano.iter("note")]
    assert ties == [[], ["start"], ["stop"]]
    assert soprano.find("measure").get("number") == "0", "a pickup is no bar of its own"


@pytest.mark.parametrize(
    ("signature", "mode", "pitch", "spelt"),
    [
        (2, "major", 66, "F#4"),
        (2, "minor", 70, "A#4"),
        (-1, "major", 70, "B-4"),
        (-3, "minor", 71, "B4"),
        (-2, "minor", 66, "F#4"),
        (0, "minor", 68, "G#4"),
        (6, "major", 71, "B4"),
        (-6, "major", 71, "C-5"),
        (7, "major", 72, "B#4"),
    ],
)
def test_pitches_are_spelt_as_the_key_has_them(signature, mode, pitch, spelt):
    score = score.score(
        chord(4, pitch, 0, 0, 0), score.Setting(signature, mode), "", "", 160.0
    )
    (previous_note,) = score.parts[0].recurse().notes
    assert previous_note.nameWithOctave == spelt and previous_note.pitch.midi == pitch


def test_notes_off_the_beat_end_with_it_and_no_rhythm_is_lost(tmp_path):
    ends = [3, 5, 12, 16]
    grid = np.concatenate(
        [chord(b - a, 60 + n, 0, 0, 0) for n, (a, b) in enumerate(pairwise([0, *ends]))]
    )
    score = score.score(grid, IN_C, "", "", 160.0)
    lengths = [previous_note.quarterLength * 4 for previous_note in score.parts[0].recurse().notes]
    assert lengths == [3, 1, 1, 3, 4, 4]


def test_the_setting_comes_from_the_corpus_or_from_the_notes():
    in_d = chord(4, 74, 66, 57, 50)
    known = {"key": "Bb", "mode": "major", "signature": "-2", "metre": "3/4", "pickup": "1.0"}
    assert score.setting(in_d, known) == score.Setting(-2, "major", "3/4", 1.0)
    transposed = known | {"signature": "", "key": "F#", "mode": "minor", "pickup": ""}
    assert score.setting(in_d, transposed) == score.Setting(3, "minor", "3/4", 0.0)
    assert score.setting(in_d, dict.fromkeys(known, "")) == score.Setting(2, "major")


@pytest.mark.parametrize("kind", [".musicxml", ".mid"])
def test_a_score_tells_its_setting(tmp_path, kind):
    path, _ = written(
        tmp_path, chord(20, 67, 63, 60, 48), score.Setting(-3, "minor", "3/4", 1.0)
    )
    known = score.known(path.with_suffix(kind))
    assert (known["signature"], known["metre"]) == ("-3", "3/4")
    assert known["pickup"] == ("1.0" if kind == ".musicxml" else "0.0"), "MIDI knows no pickup"
    found = score.setting(chord(20, 67, 63, 60, 48), known)
    assert (found.signature, found.mode, found.metre) == (-3, "minor", "3/4")


def test_the_same_score_is_the_same_bytes_in_another_process(tmp_path):
    (tmp_path / "here").mkdir()
    paths = written(tmp_path / "here", random_grid(30))
    code = (
        "from pathlib import Path; from conftest import random_grid; import test_notation as t;"
        f"t.written(Path({str(tmp_path)!r}), random_grid(30))"
    )
    there = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], env=there, check=True)
    for path in paths:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_what_is_no_score_of_four_parts_is_told(tmp_path):
    path = tmp_path / "x.musicxml"
    path.write_text("not a score")
    with pytest.raises(score.KantorError, match="not a score that music21 can read"):
        score.read(path)
    silent = stream.Score([stream.Part([note.Rest()]) for _ in range(4)])
    silent.write("musicxml", path)
    with pytest.raises(score.KantorError, match="no notes"):
        score.read(path)
    silent.parts.first().append(note.Note(60))
    silent.append(stream.Part([note.Rest()]))
    silent.write("musicxml", path)
    with pytest.raises(score.KantorError, match="5 parts"):
        score.read(path)


@pytest.mark.skipif(not MUSESCORE, reason="MuseScore is not installed (apt-get install musescore3)")
@pytest.mark.parametrize("kind", ["musicxml", "mid"])
def test_musescore_opens_it_without_complaint_and_reads_the_same(tmp_path, kind):
    grid = random_grid(92, seed=4)
    if kind == "mid":  # whose short rests MuseScore takes for notes that end early
        grid[grid == chorale.SILENCE] = 60
    path, _ = written(tmp_path, grid, score.Setting(-3, "minor", "4/4", 1.0))
    path = path.with_suffix(f".{kind}")
    done = subprocess.run(
        [MUSESCORE, "-o", tmp_path / f"by_musescore.{kind}", path],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = (done.stdout + done.stderr).lower()
    assert not [word for word in ("error", "corrupt", "invalid", "incomplete") if word in said], (
        said
    )
    np.testing.assert_array_equal(score.read(tmp_path / f"by_musescore.{kind}"), grid)
