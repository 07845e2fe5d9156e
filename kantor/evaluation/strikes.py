"""How well the network of kantor.network.strikes tells which staying notes are struck again.

Loss is the cross-entropy in nats a staying note of which that is known; accuracy is the share of
them where the likelier answer is right. The baseline has one rate for each place in the beat, and
one for where that is unknown.
"""

from collections.abc import Sequence

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER
from kantor.data.records import Record
from kantor.network import strikes
from kantor.system.runtime import keras

PLACE = list(strikes.FEATURES).index("place")


def rates(train: Sequence[Record]) -> np.ndarray:
    """The share of struck cells by place in the beat (5,), one added to either count."""
    numbers, struck = strikes.cells(train)
    beat, size = _beat(numbers), ROWS_PER_QUARTER + 1
    cells, again = np.bincount(beat, minlength=size), np.bincount(beat, struck[:, 0], size)
    return (again + 1) / (cells + 2)


def figures(network: keras.Model, pieces: Sequence[Record], rates: np.ndarray) -> dict[str, object]:
    """Loss and accuracy on `pieces`, and of the baseline that has these rates (5,); nothing where
    no cell is known.
    """
    numbers, struck = strikes.cells(pieces)
    if not len(struck):
        return {}
    probabilities = strikes.predictor(network)(numbers).astype(np.float64)
    return {
        "notes": len(struck),
        **_scores(probabilities, struck[:, 0]),
        "baseline": _scores(rates[_beat(numbers)], struck[:, 0]),
    }


def _beat(numbers: np.ndarray) -> np.ndarray:
    """The place in the beat of cells with these features, 0 to 3, or 4 for unknown."""
    place = numbers[:, PLACE]
    return np.where(place == 0, ROWS_PER_QUARTER, (place - 1) % ROWS_PER_QUARTER)


def _scores(probabilities: np.ndarray, struck: np.ndarray) -> dict[str, float]:
    own = np.where(struck == 1, probabilities, 1 - probabilities)
    loss = -np.log(np.maximum(own, np.finfo(np.float32).tiny))
    return {"loss": float(loss.mean()), "accuracy": float((own > 0.5).mean())}
