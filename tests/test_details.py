import numpy as np
import pytest
from hypothesis import given

from helpers.details import any_details, in_bars, same
from kantor import chorale, details, metadata
from kantor.metadata import Metadata
from kantor.system.errors import KantorError

HEADER = "bar,place,fermata,signature,struck0,struck1,struck2,struck3\n"


@given(any_details())
def test_reading_written_details_gives_them_back(made):
    assert same(details.from_csv(details.to_csv(made), "x"), made)


def test_a_line_is_a_row_and_an_empty_cell_is_unknown():
    made = in_bars(2, 16, 12)
    made.signature[1] = -1
    made.struck[0] = [1, 0, 1, 1]
    assert details.to_csv(made) == HEADER + "16,12,,,1,0,1,1\n16,13,,-1,,,,\n"
    assert details.to_csv(details.unknown(1)) == HEADER + ",,,,,,,\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "16,0,0,0,1,1,1,1\n16,16,0,0,0,0,0,0\n", "x.csv, row 1 (line 3), place: 16"),
        (HEADER + ",0,0,0,1,1,1,1\n", "row 0 (line 2), place: 0"),
        (HEADER + "0,,0,0,1,1,1,1\n", "row 0 (line 2), bar: 0"),
        (HEADER + "-1,,0,0,1,1,1,1\n", "row 0 (line 2), bar: -1"),
        (HEADER + "16,0,2,0,1,1,1,1\n", "row 0 (line 2), fermata: 2"),
        (HEADER + "16,0,0,8,1,1,1,1\n", "row 0 (line 2), signature: 8"),
        (HEADER + "16,0,0,-99,1,1,1,1\n", "row 0 (line 2), signature: -99"),
        (HEADER + "16,0,0,0,1,1,yes,1\n", "row 0 (line 2), struck2: yes"),
        (HEADER + "16,0,0,0,1,1,1,1.0\n", "row 0 (line 2), struck3: 1.0"),
        (HEADER + "16,0,0\n", "row 0 (line 2): 3 columns"),
        ("bar,place\n", "x.csv: the first line is 'bar,place'"),
        ("", "x.csv: the first line is ''"),
    ],
)
def test_an_offence_names_file_row_and_column(text, words):
    with pytest.raises(KantorError) as caught:
        details.from_csv(text, "x.csv")
    assert words in str(caught.value) and "expected" in str(caught.value)


def test_details_lie_beside_their_chorale_and_are_unknown_where_there_are_none(tmp_path):
    path = tmp_path / chorale.file_name("train", 7)
    path.parent.mkdir()
    path.write_text(chorale.to_csv(np.full((3, 4), 60)))
    assert same(details.beside(path, 3), details.unknown(3))
    (tmp_path / "train/chorale_007.details.csv").write_text(details.to_csv(in_bars(3)))
    assert same(details.beside(path, 3), in_bars(3))
    with pytest.raises(KantorError, match=r"007\.details\.csv: 3 rows; expected 4, as in chor"):
        details.beside(path, 4)
    metadata.write([Metadata("train", 7, 3)], tmp_path / "corpus.csv")
    assert list(chorale.read_split(tmp_path, "train")) == [7]
    (tmp_path / "train/other_007.details.csv").write_text("")
    with pytest.raises(KantorError, match=r"other_007\.details\.csv: expected a name such as"):
        chorale.read_split(tmp_path, "train")


def test_no_file_and_no_text_are_told_apart(tmp_path):
    with pytest.raises(KantorError, match=r"none\.csv: no such details; run `dvc repro download`"):
        details.read(tmp_path / "none.csv")
    (tmp_path / "sound.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KantorError, match=r"sound\.csv: not a text file"):
        details.read(tmp_path / "sound.csv")


def test_settled_a_new_pitch_is_struck_and_silence_is_not():
    grid = np.array([[60, 0, 50, 40], [60, 55, 50, 41], [0, 55, 50, 41]])
    doubtful = details.unknown(3).struck
    assert details.settled(doubtful, grid).tolist() == [
        [1, 0, 1, 1], [-1, 1, -1, 1], [0, -1, -1, -1],
    ]  # fmt: skip
