from fractions import Fraction

import numpy as np
import pytest
from music21 import chord, note, stream

from helpers import scores
from helpers.scores import written
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
    _, metadata = reading.read(path.with_suffix(kind))
    # MIDI knows no pickup.
    assert metadata == Metadata(signature=-3, metre="3/4", pickup=pickup)
    setting = score.setting_for(grid, metadata)
    assert setting == score.Setting(-3, "minor", "3/4", pickup)


def test_parts_named_after_voices_may_be_in_any_order_and_one_may_be_missing(tmp_path):
    grid, _ = read(parts("Bass", "Soprano", "Alto"), tmp_path)
    assert grid[0].tolist() == [61, 62, 0, 60]


def test_four_parts_of_other_names_are_the_voices_from_the_top(tmp_path):
    grid, _ = read(parts("Violin", "Violin", "Viola", "Cello"), tmp_path)
    assert grid[0].tolist() == [60, 61, 62, 63]


def test_of_several_notes_at_once_the_highest_counts_and_grace_notes_do_not():
    part = stream.Part([chord.Chord(["C4", "G4"], quarterLength=0.5), note.Note("F4")])
    part.insert(0.5, note.Note("B4").getGrace())
    grid = reading.sample([part, stream.Part(), stream.Part(), stream.Part()])
    assert grid[:, 0].tolist() == [67, 67, 65, 65, 65, 65] and not grid[:, 1:].any()


def test_a_note_sounds_in_every_sixteenth_whose_start_it_covers():
    triplet = [note.Note(60 + n, quarterLength=Fraction(1, 3)) for n in range(3)]
    grid = reading.sample([stream.Part(triplet), stream.Part(), stream.Part(), stream.Part()])
    assert grid[:, 0].tolist() == [60, 60, 61, 62]


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
    grid, _ = reading.read(path)
    assert len(grid) == 4
