import pytest

from kantor.sampling import stepping
from kantor.system.errors import KantorError
from kantor.system.runtime import keras


def refused():
    layers = keras.layers
    for name, layer in {
        "both ways": layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        "backwards": layers.GRU(3, return_sequences=True, go_backwards=True),
        "a window": layers.Conv1D(3, 3, padding="same"),
        "zeros behind": layers.ZeroPadding1D((1, 1)),
        "strides": layers.MaxPooling1D(2),
        "another shape": layers.Reshape((-1, 2)),
        "a sum": lambda x: keras.ops.cumsum(x, axis=1),
    }.items():
        yield pytest.param(layer, id=name)


@pytest.mark.parametrize("layer", list(refused()))
def test_layers_without_a_step_are_refused(layer):
    arpeggio = keras.layers.Input((None,), dtype="int32")
    network = keras.Model(arpeggio, layer(keras.layers.Embedding(47, 4)(arpeggio)))
    with pytest.raises(KantorError, match="can't go on place by place"):
        stepping.start(network, 1)
