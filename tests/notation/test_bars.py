import pytest

from helpers.barred import of_bars
from kantor.details import UNKNOWN
from kantor.notation.bars import Bars


@pytest.mark.parametrize(
    ("metre", "pickup", "row", "words"),
    [
        ("", None, 0, "bar 1, beat 1"),
        ("", None, 35, "bar 3, beat 1.75"),
        ("4/4", 1.0, 0, "bar 0, beat 4"),
        ("4/4", 1.0, 4, "bar 1, beat 1"),
        ("3/4", 1.0, 0, "bar 0, beat 3"),
        ("3/4", 0.0, 12, "bar 2, beat 1"),
        ("3/4", 2.0, 38, "bar 3, beat 2.5"),
        ("3/2", 0.0, 32, "bar 2, beat 2"),
        ("6/8", 0.0, 6, "bar 1, beat 4"),
    ],
)
def test_a_row_has_the_bar_and_beat_that_musicians_count(metre, pickup, row, words):
    assert Bars.of(60, metre, pickup).words(row) == words


def test_a_pickup_of_a_whole_bar_is_none():
    assert Bars.of(60, "3/4", 3.0).words(0) == "bar 1, beat 1"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (0, "bar 0, beat 4"),
        (4, "bar 1, beat 1"),
        (16, "bar 2, beat 1"),  # a repeat cut bar 1 after three beats
        (20, "bar 3, beat 1"),
        (37, "bar 4, beat 1.25"),
        (48, "bar 5, beat 1"),
        (56, "bar 5, beat 2"),
    ],
)
def test_bars_are_those_that_details_tell(row, words):
    bars = [(16, 12, 0), (16, 0, 4), (16, 0, 12), (16, 0, 0), (12, 0, 0), (24, 0, 0)]
    details = of_bars(bars)
    told = Bars.of(len(details.bar), "3/4", 2.0, details)
    assert told.words(row) == words
    assert told.metres == ["4/4", "3/4", "3/2"] and told.pickup == 4
    assert [bar.missing_after for bar in told] == [0, 4, 12, 0, 0, 0]


@pytest.mark.parametrize(
    ("rows", "preferred", "metre"),
    [
        (16, "3/4", "4/4"),
        (16, "2/2", "2/2"),
        (12, "4/4", "3/4"),
        (12, "6/8", "6/8"),
        (24, "4/4", "3/2"),
        (8, "", "2/4"),
        (20, "", "5/4"),
        (32, "4/4", "4/2"),
        (10, "", "5/8"),
        (3, "", "3/16"),
    ],
)
def test_a_bar_has_the_metre_of_the_piece_if_it_is_as_long(rows, preferred, metre):
    details = of_bars([(rows, 0, 0)] * 2)
    assert Bars.of(2 * rows, preferred, None, details).metres == [metre]


@pytest.mark.parametrize("column", ["bar", "place"])
def test_bars_that_details_do_not_tell_wholly_are_those_of_the_metre(column):
    details = of_bars([(16, 0, 0)] * 2)
    getattr(details, column)[20] = UNKNOWN
    assert Bars.of(32, "3/4", 1.0, details) == Bars.of(32, "3/4", 1.0)
