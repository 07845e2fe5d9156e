import numpy as np
import pytest

from kantor import plan
from kantor.network import plan_features
from kantor.system.runtime import keras

BASS = 3
ROWS = np.array([[[30, 25, 20, 10], [32, 25, 0, 8]]], np.int32)
BEFORE = np.array([[[47, 47, 47, 47], [30, 25, 20, 10]]], np.int32)


@pytest.fixture(scope="module")
def features():
    """All features, and what is added to the logits of the bass, of random weights."""
    asked = keras.layers.Input((None, plan.COLUMNS), dtype="int32")
    rows = keras.layers.Input((None, 4), dtype="int32")
    before = keras.layers.Input((None, 4), dtype="int32")
    keys = keras.ops.expand_dims(asked[:, :, : plan.KEY_COLUMNS], 2)
    read = plan_features.read(asked, keys, rows, before, 0.0)
    parts = [[*read.form, read.closing], read.logits(BASS)]
    network = keras.Model([asked, rows, before], parts)
    draw = np.random.default_rng(0)
    network.set_weights([draw.normal(size=w.shape) for w in network.get_weights()])
    return lambda *inputs: [[one.numpy() for one in part] for part in network(list(inputs))]


def asked(**columns):
    table = plan.unknown(2)
    for name, value in columns.items():
        table[:, getattr(plan, name)] = value
    return table[None]


def test_what_is_learnt_of_one_key_holds_in_all(features):
    in_c = features(asked(TONIC=0, MODE=0, PHRASE=3, LEFT=9), ROWS, BEFORE)
    # What is no pitch isn't moved.
    up = [np.where((x > 0) & (x < 47), x + 5, x) for x in (ROWS, BEFORE)]
    in_f = features(asked(TONIC=5, MODE=0, PHRASE=3, LEFT=9), *up)
    for low, high in zip(in_c[0], in_f[0], strict=True):
        np.testing.assert_array_equal(low, high)
    for low, high in zip(in_c[1], in_f[1], strict=True):
        np.testing.assert_array_equal(low[..., 1:-5], high[..., 6:])


def test_without_a_key_degrees_say_nothing(features):
    _, logits = features(asked(BAR=16, PLACE=4, PHRASE=3, LEFT=9), ROWS, BEFORE)
    assert not np.any(logits)


def test_each_column_of_a_plan_is_told(features):
    columns = {"TONIC": 2, "MODE": 1, "BAR": 16, "PLACE": 5, "PHRASE": 7, "LEFT": 20}
    whole = features(asked(**columns), ROWS, BEFORE)
    for name, value in columns.items():
        other = features(asked(**(columns | {name: value - 1})), ROWS, BEFORE)
        same = [
            np.array_equal(a, b)
            for one, two in zip(whole, other, strict=True)
            for a, b in zip(one, two, strict=True)
        ]
        assert not all(same), name


def test_what_is_far_off_counts_as_far(features):
    near = plan_features.FARTHEST + 1
    far = features(asked(PHRASE=near, LEFT=near), ROWS, BEFORE)
    farther = features(asked(PHRASE=near + 300, LEFT=near + 300), ROWS, BEFORE)
    for one, other in zip(far[0], farther[0], strict=True):
        np.testing.assert_array_equal(one, other)
