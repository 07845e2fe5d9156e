import os
import shutil
import subprocess

import numpy as np
import pytest

from helpers.marks import coloured, words
from helpers.music import random_grid
from helpers.scores import chord
from kantor.metadata import Metadata
from kantor.notation import marking, reading
from kantor.notation.mark import Mark
from kantor.notation.piece import Piece

MUSESCORE = shutil.which("mscore3") or shutil.which("musescore") or shutil.which("mscore")
IN_THREE = Metadata(signature=-1, metre="3/4", pickup=1.0)
TWO_CHORDS = np.concatenate([chord(6, 67, 64, 0, 48), chord(10, 69, 65, 57, 50)])


def marked(folder, grid, marks, metadata=IN_THREE):
    path = folder / "marked.musicxml"
    path.write_text(marking.musicxml(Piece(grid, "A title", "", metadata), marks, 60.0), "utf-8")
    return path


def test_notes_and_words_are_marked_at_their_places_and_nowhere_else(tmp_path):
    marks = [Mark(6, (0, 3), "∥5 S-B"), Mark(0, (2,), "rest"), Mark(16 - 1, (1,), "late")]
    path = marked(tmp_path, TWO_CHORDS, marks)
    # The last chord is written from row 6 and, tied, from row 8; the rest from row 0 and 4.
    assert words(path) == [(0, 2, "rest"), (6, 0, "∥5 S-B"), (15, 1, "late")]
    assert {(6, 0), (6, 3), (0, 2)} < coloured(path)
    ((row, voice),) = coloured(path) - {(6, 0), (6, 3), (0, 2)}
    assert voice == 1 and 6 < row <= 15


def test_words_at_one_place_stand_together(tmp_path):
    marks = [Mark(6, (0, 3), "∥5 S-B"), Mark(6, (0,), "leap"), Mark(6, (3,), "leap")]
    path = marked(tmp_path, TWO_CHORDS, marks)
    assert words(path) == [(6, 0, "∥5 S-B, leap"), (6, 3, "leap")]


def test_marks_change_neither_notes_nor_metre(tmp_path):
    grid = random_grid(60)
    marks = [Mark(row, (row % 4,), "here") for row in range(60)]
    read, metadata, _ = reading.read(marked(tmp_path, grid, marks))
    np.testing.assert_array_equal(read, grid)
    assert metadata == IN_THREE
    assert [row for row, _, _ in words(tmp_path / "marked.musicxml")] == list(range(60))


def test_without_marks_nothing_has_a_colour(tmp_path):
    path = marked(tmp_path, random_grid(20), [])
    assert not coloured(path) and not words(path)


def test_the_same_marks_are_the_same_text():
    piece = Piece(random_grid(20), "A title", "", IN_THREE)
    first, second = (marking.musicxml(piece, [Mark(3, (1,), "x")], 60.0) for _ in range(2))
    assert first == second


def test_the_pickup_has_no_number(tmp_path):
    assert '<measure implicit="yes" number="0">' in marked(tmp_path, TWO_CHORDS, []).read_text()


@pytest.mark.slow
@pytest.mark.skipif(not MUSESCORE, reason="MuseScore is not installed (apt-get install musescore3)")
def test_musescore_reads_the_same_marks(tmp_path):
    path = marked(tmp_path, TWO_CHORDS, [Mark(6, (0, 3), "∥5 S-B"), Mark(6, (1,), "leap")])
    again = tmp_path / "by_musescore.musicxml"
    quiet = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    subprocess.run([MUSESCORE, "-o", again, path], env=quiet, check=True, capture_output=True)
    assert words(again) == words(path) == [(6, 0, "∥5 S-B"), (6, 1, "leap")]
    assert coloured(again) == coloured(path) == {(6, 0), (6, 1), (6, 3)}
    assert reading.read(again)[1].pickup == 1.0
