import pytest

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
