from collections import Counter

import numpy as np
import pytest

from helpers.details import in_bars
from helpers.music import unpacked
from kantor import details
from kantor.data import music21_corpus
from kantor.details import NO_SIGNATURE, UNKNOWN

pytestmark = pytest.mark.xdist_group("corpus")  # they share what is built once


@pytest.fixture(scope="module")
def manifest():
    return music21_corpus.manifest()


def by_place(read):
    return {(metadata.split, metadata.index): (metadata, *rest) for metadata, *rest in read}


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
    return [grid == theirs[key] for key, (_, grid, _) in edition.items()]


def test_the_edition_has_377_chorales(manifest):
    splits = Counter(row["split"] for row in manifest)
    assert splits == {"train": 225, "valid": 75, "test": 77}
    assert len({(row["split"], row["index"]) for row in manifest}) == 377


def test_some_agree_with_the_published_archive(few, published):
    equal = agreement(few, published)
    assert np.concatenate([same.ravel() for same in equal]).mean() >= 0.97
    assert any(same.all() for same in equal)


def test_the_metadata_tell_what_is_known(few):
    metadata, grid, _ = few["train", 1]
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
    all_metadata = [metadata for metadata, *_ in third.values()]
    assert sum(bool(metadata.title) for metadata in all_metadata) >= 108  # of all 377, 333
    for metadata in all_metadata:
        assert metadata.bwv and metadata.key and metadata.mode in ("major", "minor")


def test_many_are_read_in_order_each_as_one_is(manifest, few):
    rows = [row for row in manifest if (row["split"], int(row["index"])) in few]
    read = by_place(music21_corpus.read_all(rows[:2]))
    assert list(read) == [(row["split"], int(row["index"])) for row in rows[:2]]
    for key, (metadata, grid, _) in read.items():
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
    arranged, _ = music21_corpus._arrange(GRID.copy(), details.unknown(4), row(**changes))
    assert arranged[:, 0].tolist() == soprano
    assert arranged[:, 3].tolist() == bass


HELD = np.array([[60, 60, 60, 60]] * 4 + [[62, 60, 60, 60]] * 4)
# The alto repeats its note in row 4.
STRUCK = np.array([[1, 1, 1, 1]] + [[0] * 4] * 3 + [[1, 1, 0, 0]] + [[0] * 4] * 3)


def arranged(**changes):
    signature, fermata = np.repeat([NO_SIGNATURE, 5], 4), np.repeat([0, 1], 4)
    extras = in_bars(8, 12, 8)._replace(signature=signature, fermata=fermata, struck=STRUCK)
    return music21_corpus._arrange(HELD.copy(), extras, row(**changes))


def test_the_held_last_chord_goes_on_in_its_bar_and_is_not_struck():
    _, extras = arranged(steps="18")
    assert extras.place.tolist() == [8, 9, 10, 11, *range(12), 0, 1]
    assert set(extras.bar) == {12} and extras.fermata.tolist() == [0] * 4 + [1] * 14
    assert np.array_equal(extras.struck[:8], STRUCK) and not extras.struck[8:].any()
    just_struck = details.unknown(5)._replace(struck=STRUCK[:5])
    _, extras = music21_corpus._arrange(HELD[:5].copy(), just_struck, row(steps="7"))
    assert extras.struck[4:, 0].tolist() == [1, 0, 0]


def test_of_stretched_rows_the_first_copy_is_struck_and_bars_are_longer():
    _, extras = arranged(steps="16", stretch="2")
    assert extras.place.tolist() == [*range(16, 24), *range(8)] and set(extras.bar) == {24}
    assert np.array_equal(extras.struck[::2], STRUCK) and not extras.struck[1::2].any()


def test_segments_take_their_details_along_and_are_struck_where_the_pitch_changes():
    grid, extras = arranged(steps="8", segments="0:4 2:2 4:4")
    assert grid[:, 0].tolist() == [62, 62, 60, 60, 62, 62, 62, 62]
    assert extras.place.tolist() == [0, 1, 10, 11, 0, 1, 2, 3]
    assert extras.struck[:, 0].tolist() == [1, 0, 1, 0, 1, 0, 0, 0]
    assert extras.struck[:, 1].tolist() == [1, 0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(("semitones", "sharps"), [(0, 5), (1, 0), (2, -5), (-1, -2), (-5, 6)])
def test_signatures_move_by_fifths_to_the_fewest_accidentals(semitones, sharps):
    _, extras = arranged(steps="8", transpose=str(semitones))
    assert extras.signature.tolist() == [NO_SIGNATURE] * 4 + [sharps] * 4


def test_what_is_unknown_stays_so_however_it_is_arranged():
    _, extras = music21_corpus._arrange(
        HELD.copy(), details.unknown(8), row(steps="20", stretch="2", transpose="2")
    )
    assert set(extras.bar) == set(extras.place) == set(extras.fermata) == {UNKNOWN}
    assert set(extras.signature) == {NO_SIGNATURE}


def test_where_the_published_grid_changes_elsewhere_its_struck_notes_are_unknown():
    extras = details.unknown(8)._replace(struck=STRUCK)
    published = HELD.copy()
    published[:, 0] = [60, 60, 60, 60, 60, 60, 62, 62]
    published[:, 1] -= 12
    struck = music21_corpus.fitted(extras, HELD, published).struck
    assert struck[:, 0].tolist() == [1, 0, 0, 0, UNKNOWN, 0, 1, 0]
    # An octave lower, it is struck when the score's note is.
    assert struck[:, 1:].tolist() == STRUCK[:, 1:].tolist()


def test_the_soprano_of_bwv_360_begins_with_four_struck_quarters(manifest):
    metadata, grid, extras = music21_corpus.read_one(manifest[0])
    assert metadata.bwv == "360" and grid[:16:4, 0].tolist() == [74, 75, 77, 77]
    assert np.flatnonzero(extras.struck[:16, 0]).tolist() == [0, 4, 8, 12]
    assert extras.place[:16].tolist() == list(range(16)) and set(extras.bar) == {16}


def test_details_have_the_rows_of_their_grids_and_agree_with_them(few):
    for metadata, grid, extras in few.values():
        assert metadata.rows == len(grid) == len(extras.bar)
        details.check(extras, metadata.bwv)
        assert (extras.struck[details.changes(grid) & (grid > 0)] == 1).all()
        assert not extras.struck[grid == 0].any()


def test_the_metadata_tell_the_signature_of_moved_chorales_too(few, manifest):
    for line in manifest:
        key = line["split"], int(line["index"])
        if key in few:
            metadata, _, extras = few[key]
            assert metadata.signature == extras.signature[0]


@pytest.mark.slow
def test_a_third_has_repeated_notes_fermatas_and_upbeats(third):
    repeated = notes = fermatas = upbeats = 0
    for _, grid, extras in third.values():
        struck = extras.struck == 1
        notes += struck.sum()
        repeated += (struck & ~details.changes(grid)).sum()
        fermatas += (np.diff(extras.fermata, prepend=0) == 1).sum()
        upbeats += extras.place[0] >= 0
    assert 0.12 < repeated / notes < 0.16
    assert 5 < fermatas / len(third) < 7
    assert upbeats >= 0.9 * len(third)
