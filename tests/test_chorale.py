from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.music import grids
from kantor import chorale, metadata
from kantor.metadata import Metadata
from kantor.system.errors import KantorError


@given(grids)
def test_decoding_tokens_gives_the_grid_back(grid):
    assert np.array_equal(chorale.decode(chorale.encode(grid)), grid)


def test_tokens_are_1_to_46_for_pitches_and_0_for_silence_in_the_grids_places():
    grid = np.array([[81, 0, 50, 36], [80, 60, 0, 37]])
    assert chorale.encode(grid).tolist() == [[46, 0, 15, 1], [45, 25, 0, 2]]


@given(grids)
def test_reading_a_written_chorale_gives_the_grid_back(grid):
    text = chorale.to_csv(grid)
    assert np.array_equal(chorale.from_csv(text, "x"), grid)
    assert text.startswith("note0,note1,note2,note3\n") and text.endswith("\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("note0,note1,note2,note3\n60,60,60,60\n60,60,82,60\n", "x.csv, row 1 (line 3), tenor: 82"),
        ("note0,note1,note2,note3\n60,35,60,60\n", "x.csv, row 0 (line 2), alto: 35"),
        ("note0,note1,note2,note3\n60,-1,60,60\n", "row 0 (line 2), alto: -1"),
        ("note0,note1,note2,note3\n60,60,60,60.0\n", "row 0 (line 2), bass: 60.0"),
        ("note0,note1,note2,note3\n,60,60,60\n", "row 0 (line 2), soprano:"),
        ("note0,note1,note2,note3\n60,60,60\n", "row 0 (line 2): 3 columns"),
        ("note0,note1,note2,note3\n\n60,60,60,60\n", "row 0 (line 2): 1 columns"),
        ("note0,note1,note2,note3\n", "x.csv: no rows"),
        ("a,b,c,d\n60,60,60,60\n", "x.csv: the first line is 'a,b,c,d'"),
        ("", "x.csv: the first line is ''"),
    ],
)
def test_an_offence_names_file_row_and_voice(text, words):
    with pytest.raises(KantorError) as caught:
        chorale.from_csv(text, "x.csv")
    assert words in str(caught.value)
    assert "expected" in str(caught.value)


def test_no_file_and_no_text_are_told_apart(tmp_path):
    with pytest.raises(KantorError, match=r"none\.csv: no such chorale; run `dvc repro download`"):
        chorale.read(tmp_path / "none.csv")
    (tmp_path / "sound.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KantorError, match=r"sound\.csv: not a text file"):
        chorale.read(tmp_path / "sound.csv")


def test_the_digest_tells_notes_and_names_apart_but_not_orders():
    one, two = np.array([[60, 60, 60, 60]]), np.array([[60, 60, 60, 61]])
    digest = chorale.digest({("train", 0): one, ("test", 1): two})
    assert digest == chorale.digest({("test", 1): two, ("train", 0): one})
    assert digest != chorale.digest({("train", 0): two, ("test", 1): one})
    assert digest != chorale.digest({("train", 0): one, ("valid", 1): two})


def write(folder, index, grid):
    path = folder / chorale.file_name("valid", index)
    path.parent.mkdir(exist_ok=True)
    path.write_text(chorale.to_csv(grid))


def test_a_split_is_read_in_the_order_of_its_numbers(tmp_path):
    for index in (12, 3):
        write(tmp_path, index, np.full((2, 4), 40 + index))
    metadata.write([Metadata("valid", 3, 2), Metadata("valid", 12, 2)], tmp_path / "corpus.csv")
    read = chorale.read_split(tmp_path, "valid")
    assert list(read) == [3, 12] and read[12][0, 0] == 52
    (tmp_path / "valid/chorale_x.csv").touch()
    with pytest.raises(KantorError, match=r"chorale_x\.csv: expected a name such as"):
        chorale.read_split(tmp_path, "valid")
    with pytest.raises(KantorError, match="dvc repro download"):
        chorale.read_split(tmp_path, "train")


def test_a_split_with_a_chorale_of_silence_is_refused(tmp_path):
    write(tmp_path, 0, np.full((2, 4), 60))
    write(tmp_path, 1, np.zeros((3, 4), int))
    words = r"chorale_001\.csv: silence in every row and voice; expected some notes"
    with pytest.raises(KantorError, match=words):
        chorale.read_split(tmp_path, "valid")


@given(st.lists(st.integers(0, 3)))
def test_runs_are_of_one_value_each_and_make_up_the_whole(values):
    runs = [values[begin:end] for begin, end in chorale.runs(np.array(values))]
    assert [value for run in runs for value in run] == values
    assert all(len(set(run)) == 1 for run in runs)
    assert all(one[0] != after[0] for one, after in pairwise(runs))


def test_a_run_ends_where_its_value_is_struck_again():
    values, struck = np.array([5, 5, 5, 5, 7, 7]), np.array([0, -1, 1, 0, 0, 1])
    assert chorale.runs(values, struck) == [(0, 2), (2, 4), (4, 5), (5, 6)]
    assert chorale.runs(values, np.full(6, -1)) == chorale.runs(values) == [(0, 4), (4, 6)]


def test_ranges_are_those_of_each_voice_over_all_chorales():
    grids = [np.array([[70, 0, 50, 0], [72, 60, 0, 0]]), np.array([[0, 64, 52, 0]])]
    ranges = chorale.ranges(grids).tolist()
    assert ranges == [[70, 72], [60, 64], [50, 52], [chorale.NEVER, 0]]
