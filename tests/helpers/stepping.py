"""A network row by row."""

from collections.abc import Sequence

import numpy as np

from kantor.plan import COLUMNS, UNKNOWN
from kantor.sampling.predictor import predictor
from kantor.system.runtime import keras, tf


def stepped(
    network: keras.Model,
    rows: np.ndarray,
    plan: np.ndarray | None = None,
    guidance: Sequence[float] = (),
    keyless: bool = False,
) -> np.ndarray:
    """What notes are drawn from, for every note of rows (pieces, rows, 4): what the network
    predicts from those before it and from their plan (pieces, rows, 6), row by row, with guidance
    for each piece: (pieces, notes, 47). `keyless`: where its key is unknown, it may be any.
    """
    if plan is None:
        plan = np.full((*rows.shape[:2], COLUMNS), UNKNOWN, np.int32)
    by_rows = predictor(network)
    state = by_rows.start(len(rows), rows.shape[1] + 2, guidance, keyless)
    predictions = []
    for row in range(rows.shape[1]):

        def decide(voice, probabilities, notes, row=row):
            predictions.append(probabilities.numpy())
            return tf.constant(rows[:, row, int(voice)])

        notes, _, state = by_rows.row(state, tf.constant(row), tf.constant(plan[:, row]), decide)
        assert np.array_equal(notes, rows[:, row])
    return np.stack(predictions, axis=1)
