import numpy as np
import pytest

from kantor.network import rhythm
from kantor.system.runtime import keras

BASS = 3
BEFORE = np.array([[[30, 25, 20, 10]]], np.int32)
MOVES = np.array([[[32, 25, 20, 0]]], np.int32)


@pytest.fixture(scope="module")
def staying():
    """What is added to the logits of the bass, with weights that tell all cases apart."""
    inputs = [keras.layers.Input((None, n), dtype="int32") for n in (4, 4, 4, 1)]
    inputs.append(keras.layers.Input((None,), dtype="int32"))
    network = keras.Model(inputs, rhythm.staying(*inputs)(BASS))
    network.set_weights([np.arange(w.size).reshape(w.shape) + 1.0 for w in network.get_weights()])

    def added(rows=BEFORE, before=BEFORE, still=(5, 3, 9, 15), position=4, end=0):
        held, place = np.array([[still]], np.int32), np.array([[[position]]], np.int32)
        return network([rows, before, held, place, np.array([[end]], np.int32)]).numpy()[0, 0]

    return added


def test_only_the_note_before_is_more_or_less_likely(staying):
    assert np.flatnonzero(staying()).tolist() == [BEFORE[0, 0, BASS]]
    assert not staying(before=np.full_like(BEFORE, 47)).any(), "nothing comes before a first row"


def test_it_is_told_by_what_moves_how_long_nothing_did_the_beat_and_the_end(staying):
    cases = [
        staying(),
        staying(MOVES),
        staying(still=(5, 4, 9, 15)),
        staying(position=6),
        staying(end=2),
    ]
    assert len({case.max() for case in cases}) == len(cases)
    assert staying(position=8).max() == staying().max(), "the next beat"
    below = np.array([[[30, 25, 20, 3]]], np.int32)
    assert staying(below).max() == staying().max(), "the bass itself is what is asked"
    assert staying(still=(15, 15, 15, 15)).max() == staying(still=(12, 15, 15, 15)).max()
