import numpy as np

from kantor.network import row_gru
from kantor.system.runtime import keras


def test_rows_of_an_arpeggio_end_with_one_that_is_not_whole():
    arpeggio = keras.layers.Input((None,), dtype="int32")
    rows, _ = row_gru.inputs(arpeggio)
    model = keras.Model(arpeggio, rows)
    tokens = np.arange(1, 11)
    for notes, last in [(1, [1, 0, 0, 0]), (6, [5, 6, 0, 0]), (8, [0] * 4), (10, [9, 10, 0, 0])]:
        given = model.predict(tokens[None, :notes], verbose=0)[0]
        whole = tokens[: notes // 4 * 4].reshape(-1, 4)
        assert given.tolist() == [*whole.tolist(), last]
