from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kantor.chorale import stretches


@given(st.lists(st.integers(0, 3)))
def test_stretches_are_of_one_value_each_and_make_up_the_whole(values):
    found = stretches(np.array(values))
    pieces = [values[begin:end] for begin, end in found]
    assert [value for piece in pieces for value in piece] == values
    assert all(len(set(piece)) == 1 for piece in pieces)
    assert all(one[0] != after[0] for one, after in pairwise(pieces))
