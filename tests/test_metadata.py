import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import metadata
from kantor.metadata import Metadata
from kantor.system.errors import KantorError

# Any line of text: csv does not keep a carriage return, which no title has.
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
numbers = st.integers(0, 999)
anything = st.builds(
    Metadata,
    split=texts,
    index=st.none() | numbers,
    rows=numbers,
    bwv=texts,
    title=texts,
    key=st.sampled_from(["", "C", "F#", "Bb"]),
    mode=st.sampled_from(["", "major", "minor"]),
    signature=st.none() | st.integers(-7, 7),
    metre=st.sampled_from(["", "4/4", "3/2", "12/8"]),
    pickup=st.none() | st.floats(0, 100),
)
FULL = Metadata("train", 1, 64, "385", "Nun bitten wir", "Bb", "major", -2, "4/4", 1.0)


@given(st.lists(anything, unique_by=lambda row: (row.split, row.index), max_size=5))
def test_reading_what_was_written_gives_it_back_with_its_types(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("metadata") / "corpus.csv"
    metadata.write(rows, path)
    read = metadata.read(path)
    assert list(read.values()) == rows
    assert list(read) == [(row.split, row.index) for row in rows]
    for before, after in zip(rows, read.values(), strict=True):
        kinds = [[type(value) for value in dataclasses.astuple(row)] for row in (before, after)]
        assert kinds[0] == kinds[1]


def test_the_file_has_a_header_and_a_row_a_chorale_empty_where_nothing_is_known(tmp_path):
    metadata.write([FULL, Metadata("test", 0)], tmp_path / "corpus.csv")
    assert (tmp_path / "corpus.csv").read_text().splitlines() == [
        "split,index,rows,bwv,title,key,mode,signature,metre,pickup",
        "train,1,64,385,Nun bitten wir,Bb,major,-2,4/4,1.0",
        "test,0,0,,,,,,,",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("split,index,rows\ntrain,one,64\n", "invalid literal for int.*'one'"),
        ("split,index,title\ntrain,1\n", "a row ends before its title"),
        ("split,number\ntrain,1\n", "unexpected keyword argument 'number'"),
    ],
)
def test_what_download_did_not_write_is_an_error(tmp_path, content, words):
    path = tmp_path / "corpus.csv"
    path.write_text(content)
    with pytest.raises(KantorError, match=rf"corpus\.csv: .*{words}.*dvc repro -sf download"):
        metadata.read(path)


def test_a_chorale_is_headed_by_its_hymn_and_number_or_by_its_place():
    assert FULL.heading == "Nun bitten wir, BWV 385"
    assert dataclasses.replace(FULL, title="").heading == "BWV 385"
    assert Metadata("test", 7).heading == "test 7"


def test_the_row_of_a_file_is_found_beside_it(tmp_path):
    metadata.write([FULL], tmp_path / "corpus.csv")
    assert metadata.beside(tmp_path / "train/chorale_001.csv") == FULL
    for other in ("train/chorale_002.csv", "train/mine.csv", "elsewhere/train/chorale_001.csv"):
        assert metadata.beside(tmp_path / other) == Metadata()
