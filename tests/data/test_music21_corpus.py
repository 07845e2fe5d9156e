from collections import Counter

import numpy as np
import pytest

from kantor import metadata
from kantor.data import archive, music21_corpus

pytestmark = pytest.mark.xdist_group("embedded")  # they share what is built once


@pytest.fixture(scope="module")
def edition():
    """Every third chorale of it: reading all takes minutes."""
    return {
        (entry.split, entry.index): (entry, grid)
        for entry, grid in music21_corpus.read_all(music21_corpus.manifest()[1::3])
    }


def test_the_edition_has_377_chorales(edition):
    rows = music21_corpus.manifest()
    assert Counter(row["split"] for row in rows) == {"train": 225, "valid": 75, "test": 77}
    assert list(edition) == [(row["split"], int(row["index"])) for row in rows[1::3]]


def test_it_agrees_with_the_published_archive(edition, published):
    with published.open("rb") as file:
        theirs = archive.unpack(file, 2**24)
    equal = {key: grid == theirs[key] for key, (_, grid) in edition.items()}
    cells = np.concatenate([same.ravel() for same in equal.values()])
    assert cells.mean() >= 0.989  # of all 377, 0.9881
    assert sum(same.all() for same in equal.values()) >= 39  # of all 377, 110


def test_the_catalogue_tells_what_is_known(edition):
    entry, grid = edition["train", 1]
    assert (entry.bwv, entry.title) == ("385", "Nun bitten wir den heiligen Geist")
    assert (entry.key, entry.mode, entry.signature) == ("A", "major", 3)
    assert (entry.metre, entry.pickup, entry.rows) == ("4/4", 1.0, len(grid))
    entries = [entry for entry, _ in edition.values()]
    assert sum(bool(entry.title) for entry in entries) >= 108  # of all 377, 333
    assert all(entry.bwv and entry.key and entry.mode in ("major", "minor") for entry in entries)


def row(**changes):
    as_it_is = {"fill_rests": "0", "stretch": "1", "segments": "0:0", "transpose": "0"}
    return as_it_is | changes


GRID = np.array([[60, 50, 50, 0], [0, 51, 51, 0], [62, 52, 52, 42], [0, 53, 53, 43]])


@pytest.mark.parametrize(
    ("changes", "soprano", "bass"),
    [
        ({"steps": "4"}, [60, 0, 62, 0], [0, 0, 42, 43]),
        ({"steps": "4", "fill_rests": "1"}, [60, 60, 62, 0], [0, 0, 42, 43]),
        ({"steps": "6"}, [60, 0, 62, 0, 0, 0], [0, 0, 42, 43, 43, 43]),
        ({"steps": "5", "stretch": "2"}, [60, 60, 0, 0, 62], [0, 0, 0, 0, 42]),
        ({"steps": "2", "transpose": "-2"}, [58, 0], [0, 0]),
        ({"steps": "5", "segments": "0:2 1:0"}, [62, 60, 0, 62, 0], [42, 0, 0, 42, 43]),
    ],
)
def test_a_manifest_row_is_followed(changes, soprano, bass):
    arranged = music21_corpus._arrange(GRID.copy(), row(**changes))
    assert arranged[:, 0].tolist() == soprano
    assert arranged[:, 3].tolist() == bass


def test_the_catalogue_has_a_header_and_a_row_a_chorale(edition, tmp_path):
    metadata.write([entry for entry, _ in edition.values()], tmp_path / "corpus.csv")
    lines = (tmp_path / "corpus.csv").read_text().splitlines()
    assert lines[0] == "split,index,rows,bwv,title,key,mode,signature,metre,pickup"
    assert len(lines) == len(edition) + 1
