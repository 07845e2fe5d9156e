from kantor.judging import words
from kantor.judging.counterpoint import KINDS
from kantor.judging.notes import Error


def test_errors_are_counted_the_commonest_first():
    leap, fifths = Error("leap", 1, (0,), ""), Error("parallel fifths", 2, (0, 3), "")
    assert words.counted([]) == "no errors"
    assert words.counted([leap]) == "1 error: 1 leap"
    assert words.counted([fifths, leap]) == "2 errors: 1 parallel fifths, 1 leap"
    assert words.counted([leap, fifths, leap]) == "3 errors: 2 leaps, 1 parallel fifths"


def test_each_kind_has_its_words():
    assert list(words.NAMES) == list(KINDS)
    labels = [label for *_, label in words.NAMES.values()]
    assert len(dict.fromkeys(labels)) == len(KINDS)


def test_a_mark_names_the_voices_of_a_pair():
    assert words.mark(Error("parallel fifths", 2, (0, 3), "")).words == "∥5 S-B"
    assert words.mark(Error("leap", 2, (3,), "")) == (2, (3,), "leap")
