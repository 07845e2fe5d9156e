import numpy as np
import pytest
from hypothesis import assume, given

from conftest import grids
from kantor import chorale
from kantor.system.errors import KantorError


@given(grids)
def test_decoding_an_arpeggio_gives_the_grid_back(grid):
    assert np.array_equal(chorale.decode(chorale.encode(grid)), grid)


def test_an_arpeggio_is_soprano_alto_tenor_bass_row_by_row_as_tokens():
    grid = np.array([[81, 0, 50, 36], [80, 60, 0, 37]])
    assert chorale.encode(grid).tolist() == [46, 0, 15, 1, 45, 25, 0, 2]


@given(grids)
def test_reading_a_written_chorale_gives_the_grid_back(grid):
    assume(grid.any())
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
        ("note0,note1,note2,note3\n0,0,0,0\n", "x.csv: silence in every row"),
        ("a,b,c,d\n60,60,60,60\n", "x.csv: the first line is 'a,b,c,d'"),
        ("", "x.csv: the first line is ''"),
    ],
)
def test_an_offence_names_file_row_and_voice(text, words):
    with pytest.raises(KantorError) as caught:
        chorale.from_csv(text, "x.csv")
    assert words in str(caught.value)
    assert "expected" in str(caught.value)


def test_the_digest_tells_notes_and_names_apart_but_not_orders():
    one, two = np.array([[60, 60, 60, 60]]), np.array([[60, 60, 60, 61]])
    digest = chorale.digest({("train", 0): one, ("test", 1): two})
    assert digest == chorale.digest({("test", 1): two, ("train", 0): one})
    assert digest != chorale.digest({("train", 0): two, ("test", 1): one})
    assert digest != chorale.digest({("train", 0): one, ("valid", 1): two})


def test_a_split_is_read_in_the_order_of_its_numbers(tmp_path):
    (tmp_path / "valid").mkdir()
    for index in (12, 3):
        grid = np.full((2, 4), 40 + index)
        (tmp_path / chorale.file_name("valid", index)).write_text(chorale.to_csv(grid))
    read = chorale.read_split(tmp_path, "valid")
    assert list(read) == [3, 12] and read[12][0, 0] == 52
    (tmp_path / "valid/chorale_x.csv").touch()
    with pytest.raises(KantorError, match=r"chorale_x\.csv: expected a name such as"):
        chorale.read_split(tmp_path, "valid")
    with pytest.raises(KantorError, match="dvc repro download"):
        chorale.read_split(tmp_path, "train")
