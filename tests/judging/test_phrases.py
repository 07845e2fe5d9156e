import numpy as np
import pytest
from hypothesis import given
from music21 import corpus, expressions

from helpers.chorales import FOLDER, of_split
from helpers.music import grids
from kantor import chorale
from kantor.data import music21_corpus
from kantor.judging import phrases

# As the score has them: rows of the chorale are rows of the score.
PLAIN = {"repeats": "written", "segments": "0:0", "stretch": "1", "fill_rests": "0"}
WALKING = [[72, 67, 64, 48], [74, 67, 65, 47], [76, 67, 60, 48], [74, 67, 59, 43]]
CADENCE = [[74, 65, 62, 55], [72, 64, 60, 48]]


def walk(beats):
    """Chords of a quarter in which the bass moves each eighth, and no phrase ends."""
    grid = np.repeat([WALKING[beat % 4] for beat in range(beats)], 4, axis=0)
    grid[2::4, 3] += 2
    return grid


def stop(rows):
    """A chord that its length alone makes an end, as both outer voices leap to it."""
    return np.tile([77, 69, 65, 53], (rows, 1))


def fermatas(row):
    """The rows where the soprano's notes with a fermata begin, in the score of a manifest row."""
    score = corpus.parse(row["score"], forceSource=True)
    part = next(p for p in score.parts if (p.partName or "").lower().startswith("soprano"))
    return [
        int(4 * note.offset)
        for note in part.flatten().notes
        if any(isinstance(sign, expressions.Fermata) for sign in note.expressions)
    ]


@given(grids)
def test_ends_are_full_chords_a_bar_apart(grid):
    rows = phrases.ends(grid)
    assert (np.diff(rows) >= 16).all()
    assert (grid[rows] > 0).all()
    for row in rows:
        assert row + 4 <= len(grid)
        assert (grid[row : row + 4] == grid[row]).all()


@given(grids)
def test_holds_are_runs_of_equal_rows(grid):
    starts, lengths = phrases.holds(grid)
    assert (np.repeat(grid[starts], lengths, axis=0) == grid).all()
    assert (grid[starts[1:]] != grid[starts[1:] - 1]).any(1).all()


@pytest.mark.parametrize("rows", [6, 8, 16])
def test_a_long_stop_ends_a_phrase(rows):
    grid = np.concatenate([walk(8), stop(rows), walk(8)])
    assert phrases.ends(grid).tolist() == [32]
    grid[32 : 32 + rows : 4, 3] += 2  # now the bass moves in each quarter
    assert phrases.ends(grid).tolist() == []


def test_a_cadence_ends_a_phrase_on_a_quarter_already():
    beginning = np.repeat([[79, 67, 64, 60]], 2, axis=0)
    grid = np.concatenate([walk(8)[2:], np.repeat(CADENCE, [2, 4], axis=0), beginning, walk(8)])
    for by_bar in (True, False):
        assert phrases.ends(grid, by_bar=by_bar).tolist() == [32]
    grid[30:32, 3] = 50  # the bass comes by a step, and both go on by one
    grid[36:38] = [74, 67, 65, 50]
    assert phrases.ends(grid).tolist() == []


@pytest.mark.parametrize(("beats", "regular"), [(10, True), (9, False), (11, False)])
def test_a_quarter_needs_a_sign_less_where_longer_stops_come(beats, regular):
    cadence = np.repeat([*CADENCE, [74, 67, 65, 50]], [2, 4, 2], axis=0)
    grid = np.concatenate([walk(8), stop(8), walk(beats)[:-2], cadence, walk(8)])
    place = 40 + 4 * beats
    assert phrases.ends(grid).tolist() == ([32, place] if regular else [32])
    assert phrases.ends(grid, by_bar=False).tolist() == [32]


def test_a_chord_without_a_voice_ends_none():
    pause = stop(12)
    pause[:, 1] = 0
    assert phrases.ends(np.concatenate([walk(8), pause, walk(8)])).tolist() == []


def test_ends_are_the_fermatas_of_the_scores():
    grids_there = of_split("test")
    assert grids_there
    rows = [
        row
        for row in music21_corpus.manifest()
        if row["split"] == "test" and all(row[name] == value for name, value in PLAIN.items())
    ][:16]
    hits = ends = signs = 0
    for row in rows:
        grid = chorale.read(FOLDER / chorale.file_name("test", int(row["index"])))
        written = fermatas(row)
        rows_of_ends = phrases.ends(grid).tolist()
        # An end is that of the soprano's note that sounds in its row.
        notes = {row: begin for begin, end in chorale.runs(grid[:, 0]) for row in range(begin, end)}
        own = sorted({notes[end] for end in rows_of_ends})
        true = sorted({notes[sign] for sign in written if sign in notes})
        hits += len([note for note in own if note in true])
        ends += len(own)
        signs += len(true)
    assert signs > 50
    assert hits / ends > 0.8
    assert hits / signs > 0.75
