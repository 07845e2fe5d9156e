import os
import shutil
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import Phase, given, settings, strategies
from music21 import midi

from helpers.music import grids, random_grid
from helpers.project import PROJECT
from helpers.scores import IN_C, chord, written
from kantor import chorale
from kantor.metadata import Metadata
from kantor.notation import reading, score

SETTINGS = strategies.builds(
    score.Setting,
    strategies.integers(-7, 7),
    strategies.sampled_from(["major", "minor"]),
    strategies.sampled_from(["4/4", "3/4", "3/2", "12/8"]),
    strategies.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]),
)
SOUNDING = (midi.ChannelVoiceMessages.NOTE_ON, midi.ChannelVoiceMessages.NOTE_OFF)
MUSESCORE = shutil.which("mscore3") or shutil.which("musescore") or shutil.which("mscore")


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(grid=grids, setting=SETTINGS)
def test_what_is_written_reads_back_as_the_same_grid(tmp_path_factory, grid, setting):
    grid[-1, 0] = 60  # silence at the end is not part of a score
    for path in written(tmp_path_factory.mktemp("score"), grid, setting):
        read, metadata, _ = reading.read(path)
        np.testing.assert_array_equal(read, grid)
        assert (metadata.signature, metadata.metre) == (setting.signature, setting.metre)


def test_a_midi_file_has_a_track_a_voice_the_tempo_and_held_notes(tmp_path):
    grid = np.concatenate([chord(6, 67, 62, 59, 43), chord(2, 67, 64, 0, 43)])
    _, path = written(tmp_path, grid, tempo=40.0)
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
    assert [int.from_bytes(data, "big") for data in tempos] == [60_000_000 // 40]
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


def test_the_tempo_mark_and_the_headings_are_in_the_score(tmp_path):
    path, _ = written(tmp_path, chord(4, 72, 64, 55, 48), tempo=66.0)
    tree = ElementTree.parse(path)
    assert tree.findtext(".//metronome/beat-unit") == "quarter"
    assert float(tree.findtext(".//metronome/per-minute")) == 66
    assert tree.findtext(".//work-title") or tree.findtext(".//movement-title") == "A title"
    assert tree.findtext(".//creator[@type='composer']") == "A composer"


def soprano_notes(grid, setting):
    built = score.build(grid, setting, "", "", 40.0)
    return list(built.parts[0].recurse().notes)


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
    (note,) = soprano_notes(chord(4, pitch, 0, 0, 0), score.Setting(signature, mode))
    assert note.nameWithOctave == spelt and note.pitch.midi == pitch


def test_notes_off_the_beat_end_with_it_and_no_rhythm_is_lost():
    ends = [3, 5, 12, 16]
    grid = np.concatenate(
        [chord(b - a, 60 + n, 0, 0, 0) for n, (a, b) in enumerate(pairwise([0, *ends]))]
    )
    lengths = [note.quarterLength * 4 for note in soprano_notes(grid, IN_C)]
    assert lengths == [3, 1, 1, 3, 4, 4]


def test_the_setting_comes_from_the_metadata_or_from_the_notes():
    in_d = chord(4, 74, 66, 57, 50)
    full = Metadata(key="Bb", mode="major", signature=-2, metre="3/4", pickup=1.0)
    assert score.setting_for(in_d, full) == score.Setting(-2, "major", "3/4", 1.0)
    transposed = Metadata(key="F#", mode="minor", metre="3/4")
    assert score.setting_for(in_d, transposed) == score.Setting(3, "minor", "3/4", 0.0)
    assert score.setting_for(in_d, Metadata()) == score.Setting(2, "major")
    in_no_sharps = Metadata(key="D", mode="major", signature=0)
    assert score.setting_for(in_d, in_no_sharps) == score.Setting(0, "major"), "0 is known"


def test_silence_has_a_score_in_c(tmp_path):
    silence = np.zeros((20, 4), int)
    assert score.setting_for(silence, Metadata()) == score.Setting(0, "major")
    for path in written(tmp_path, silence):
        assert path.stat().st_size
    notes = list(ElementTree.parse(tmp_path / "piece.musicxml").iter("note"))
    assert len(notes) == 4 * 2 and all(note.find("rest") is not None for note in notes)


def test_the_same_score_is_the_same_bytes_in_another_process(tmp_path):
    (tmp_path / "here").mkdir()
    paths = written(tmp_path / "here", random_grid(30))
    code = (
        "from pathlib import Path; from helpers.music import random_grid;"
        "from helpers.scores import written;"
        f"written(Path({str(tmp_path)!r}), random_grid(30))"
    )
    there = os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], env=there, check=True)
    for path in paths:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


@pytest.mark.slow
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
    printed = (done.stdout + done.stderr).lower()
    complaints = ("error", "corrupt", "invalid", "incomplete")
    assert not [word for word in complaints if word in printed], printed
    read, *_ = reading.read(tmp_path / f"by_musescore.{kind}")
    np.testing.assert_array_equal(read, grid)
