import numpy as np
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays

from kantor.judging import repeats

voices = strategies.integers(1, 30).flatmap(
    lambda rows: arrays.arrays(np.int64, rows, elements=strategies.sampled_from([0, 60, 62]))
)


def by_hand(voice):
    """The lengths of all repeated sequences, from all pairs of places."""
    rows = range(len(voice))
    tokens = [voice[row] if row == 0 or voice[row] != voice[row - 1] else "held" for row in rows]
    lengths = []
    for first in rows:
        for second in range(first + 1, len(voice)):
            if first and tokens[first - 1] == tokens[second - 1]:
                continue
            length = 0
            while (
                second + length < len(voice) and tokens[first + length] == tokens[second + length]
            ):
                length += 1
            sequence = tokens[first : first + length]
            while sequence and sequence[0] == "held":
                sequence = sequence[1:]
            if sum(token not in ("held", 0) for token in sequence) >= 2:
                lengths.append(len(sequence))
    return sorted(lengths)


@given(voices)
def test_all_repeated_sequences_are_there(voice):
    assert sorted(repeats.lengths(voice).tolist()) == by_hand(voice)


def test_a_repeated_phrase_is_one_sequence():
    phrase = np.repeat([60, 62, 64, 65, 67], [4, 2, 2, 4, 8])
    between = np.repeat([71, 72, 74], 4)
    assert repeats.lengths(np.concatenate([phrase, between, phrase])).tolist() == [20]


def test_other_durations_are_another_sequence():
    voice = np.repeat([60, 62, 65, 60, 62, 67], [4, 4, 4, 2, 2, 2])
    assert repeats.lengths(voice).tolist() == []


def test_a_held_note_repeats_nothing():
    assert repeats.lengths(np.full(50, 60)).tolist() == []
