from collections import Counter

import numpy as np
import pytest

from helpers.music import unpacked
from kantor.data import music21_corpus

pytestmark = pytest.mark.xdist_group("corpus")  # they share what is built once


@pytest.fixture(scope="module")
def manifest():
    return music21_corpus.manifest()


def by_place(read):
    return {(metadata.split, metadata.index): (metadata, grid) for metadata, grid in read}


@pytest.fixture(scope="module")
def few(manifest):
    """Some chorales: moved, stretched, cut, expanded, filled, and one as it is."""
    rows = [
        manifest[1],
        next(row for row in manifest if row["transpose"] != "0"),
        next(row for row in manifest if row["repeats"] == "expanded"),
        next(row for row in manifest if row["stretch"] != "1"),
        next(row for row in manifest if row["fill_rests"] == "1"),
    ]
    return by_place(map(music21_corpus.read_one, rows))


@pytest.fixture(scope="module")
def third(manifest):
    """Every third chorale: reading all takes minutes."""
    return by_place(music21_corpus.read_all(manifest[1::3]))


def agreement(edition, published):
    """For each chorale which cells are those of the published archive."""
    theirs = unpacked(published)
    return [grid == theirs[key] for key, (_, grid) in edition.items()]


def test_the_edition_has_377_chorales(manifest):
    splits = Counter(row["split"] for row in manifest)
    assert splits == {"train": 225, "valid": 75, "test": 77}
    assert len({(row["split"], row["index"]) for row in manifest}) == 377


def test_some_agree_with_the_published_archive(few, published):
    equal = agreement(few, published)
    assert np.concatenate([same.ravel() for same in equal]).mean() >= 0.97
    assert any(same.all() for same in equal)


def test_the_metadata_tell_what_is_known(few):
    metadata, grid = few["train", 1]
    assert (metadata.bwv, metadata.title) == ("385", "Nun bitten wir den heiligen Geist")
    assert (metadata.key, metadata.mode, metadata.signature) == ("A", "major", 3)
    assert (metadata.metre, metadata.pickup, metadata.rows) == ("4/4", 1.0, len(grid))


@pytest.mark.slow
def test_a_third_is_read_in_order_and_agrees_with_the_published_archive(third, manifest, published):
    assert list(third) == [(row["split"], int(row["index"])) for row in manifest[1::3]]
    equal = agreement(third, published)
    cells = np.concatenate([same.ravel() for same in equal])
    assert cells.mean() >= 0.989  # of all 377, 0.9881
    assert sum(same.all() for same in equal) >= 39  # of all 377, 110


@pytest.mark.slow
def test_the_metadata_of_a_third_tell_title_key_and_number(third):
    all_metadata = [metadata for metadata, _ in third.values()]
    assert sum(bool(metadata.title) for metadata in all_metadata) >= 108  # of all 377, 333
    for metadata in all_metadata:
        assert metadata.bwv and metadata.key and metadata.mode in ("major", "minor")


def test_many_are_read_in_order_each_as_one_is(manifest, few):
    rows = [row for row in manifest if (row["split"], int(row["index"])) in few]
    read = by_place(music21_corpus.read_all(rows[:2]))
    assert list(read) == [(row["split"], int(row["index"])) for row in rows[:2]]
    for key, (metadata, grid) in read.items():
        assert metadata == few[key][0] and np.array_equal(grid, few[key][1])


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
