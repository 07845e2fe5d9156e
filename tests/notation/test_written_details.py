"""What details tell is in the scores that are written: bars, fermatas, repeated notes."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from music21 import converter, expressions, stream

from helpers.barred import grids_with_details, of_bars
from helpers.scores import IN_C, chord
from kantor import chorale
from kantor.details import UNKNOWN
from kantor.metadata import Metadata
from kantor.notation import engraving, reading, score
from kantor.notation.piece import Piece

REPEAT_CUTS_A_BAR = [(16, 12, 0), (16, 0, 4), (16, 0, 12), (16, 0, 0), (12, 0, 0)]


def written(folder, grid, details, setting=IN_C):
    """The paths of the MusicXML and the MIDI file of a grid with details."""
    path = folder / "piece"
    score.write(score.build(grid, setting, "A title", "", 60.0, details), path)
    return path.with_suffix(".musicxml"), path.with_suffix(".mid")


def fermatas(path):
    """The row and voice of each note with a fermata in a score."""
    return sorted(
        (round(4 * note.offset), chorale.VOICES.index(part.partName.lower()))
        for part in converter.parse(path, forceSource=True).parts
        for note in part.flatten().notes
        if any(isinstance(sign, expressions.Fermata) for sign in note.expressions)
    )


@pytest.mark.slow
@settings(max_examples=30, phases=[Phase.explicit, Phase.generate])
@given(music=grids_with_details())
def test_what_is_written_reads_back_with_its_repeated_notes_and_fermatas(tmp_path_factory, music):
    grid, details = music
    for path in written(tmp_path_factory.mktemp("score"), grid, details):
        read, _, again = reading.read(path)
        np.testing.assert_array_equal(read, grid)
        np.testing.assert_array_equal(again.struck, details.struck)
        if path.suffix == ".musicxml":  # MIDI has none of these
            np.testing.assert_array_equal(again.fermata, details.fermata)
            assert engraving.pages(path.read_text())


def test_a_fermata_is_over_all_notes_that_sound_where_it_begins(tmp_path):
    grid = np.concatenate([chord(2, 67, 64, 60, 48), chord(6, 69, 65, 60, 53)])
    grid[4:, 1] = 64  # the alto moves on under the fermata
    details = of_bars([(8, 0, 0)])._replace(fermata=np.array([0, 0, 1, 1, 1, 1, 1, 1]))
    path, _ = written(tmp_path, grid, details)
    # The tenor holds since row 0, and its note is written there.
    assert fermatas(path) == [(0, 2), (2, 0), (2, 1), (2, 3)]


@pytest.mark.parametrize(("known", "rows"), [(None, [7]), (UNKNOWN, [7]), (0, []), (1, [0])])
def test_where_fermatas_are_not_told_there_is_one_at_the_end(known, rows):
    details = None
    if known is not None:
        details = of_bars([(8, 0, 0)])._replace(fermata=np.full(8, known))
    assert score._fermatas(np.full(8, 60), details) == rows


def test_bars_change_their_metre_and_are_cut_short_as_details_say(tmp_path):
    details = of_bars(REPEAT_CUTS_A_BAR)
    path, midi = written(tmp_path, chord(len(details.bar), 67, 64, 60, 48), details)
    part = converter.parse(path, forceSource=True).parts[0]
    bars = part[stream.Measure]
    assert [bar.number for bar in bars] == [0, 1, 2, 3, 4]
    assert [bar.offset for bar in bars] == [0, 1, 4, 5, 9]
    metres = [(metre.ratioString, bar.number) for bar in bars for metre in bar["TimeSignature"]]
    assert metres == [("4/4", 0), ("3/4", 4)]
    assert [bar.quarterLength for bar in bars] == [1, 3, 1, 4, 3]
    changes = converter.parse(midi, forceSource=True).parts[0].flatten()["TimeSignature"]
    assert [(metre.ratioString, metre.offset) for metre in changes] == [("4/4", 0), ("3/4", 9)]


def test_without_what_details_may_tell_a_score_is_as_without_details():
    grid = chord(20, 67, 64, 60, 48)
    unknown = of_bars([(20, 0, 0)])
    unknown = unknown._replace(bar=np.full(20, UNKNOWN), place=np.full(20, UNKNOWN))
    description = Metadata(signature=0, key="C", mode="major", metre="3/4", pickup=1.0)
    plain = Piece(grid, "A title", metadata=description)
    texts = [
        score.musicxml(piece.score(60.0)) for piece in (plain, plain._replace(details=unknown))
    ]
    assert texts[0] == texts[1]
    assert len(ElementTree.fromstring(texts[0]).findall("part/measure")) == 4 * 3
