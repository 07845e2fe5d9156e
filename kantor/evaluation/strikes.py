"""How well the network of kantor.network.strikes tells which staying notes are struck again.

Loss is the cross-entropy in nats a staying note of which that is known; accuracy is the share of
them where the likelier answer is right. The baseline knows one rate for each place in the beat,
and one for where that is unknown.
"""

from collections.abc import Sequence

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER
from kantor.data.records import Record
from kantor.details import UNKNOWN
from kantor.network import strikes
from kantor.plan import PLACE
from kantor.system.runtime import keras

CELLS_AT_ONCE = 4096


def figures(
    network: keras.Model, pieces: Sequence[Record], train: Sequence[Record]
) -> dict[str, object]:
    """Loss and accuracy on `pieces`, and of the baseline that has its rates from `train`; nothing
    where no cell is known.
    """
    struck, place = _known(pieces)
    if not len(struck):
        return {}
    there = [strikes.stays(one.tokens) & (one.struck != UNKNOWN) for one in pieces]
    numbers = np.concatenate(
        [
            strikes.features(piece.tokens, piece.plan, piece.struck)[cells]
            for piece, cells in zip(pieces, there, strict=True)
        ]
    )
    rates = _rates(train)[place]
    return {
        "notes": len(struck),
        **_scores(_probabilities(network, numbers), struck),
        "baseline": _scores(rates, struck),
    }


def _known(pieces: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each staying cell of which that is known is struck, and its place in the beat, from
    0, or the one after the last for unknown; both int (cells,).
    """
    struck, place = [np.zeros(0, int)], [np.zeros(0, int)]
    for piece in pieces:
        there = strikes.stays(piece.tokens) & (piece.struck != UNKNOWN)
        own = piece.plan[:, PLACE]
        beat = np.where(own == UNKNOWN, ROWS_PER_QUARTER, own % ROWS_PER_QUARTER)
        struck.append(piece.struck[there])
        place.append(np.broadcast_to(beat[:, None], there.shape)[there])
    return np.concatenate(struck), np.concatenate(place)


def _rates(train: Sequence[Record]) -> np.ndarray:
    """The share of struck cells by place in the beat (5,), one added to each count."""
    struck, place = _known(train)
    ones, cells = (
        np.bincount(part, minlength=ROWS_PER_QUARTER + 1) for part in (place[struck == 1], place)
    )
    return (ones + 1) / (cells + 2)


def _probabilities(network: keras.Model, numbers: np.ndarray) -> np.ndarray:
    predict = strikes.predictor(network)
    # Filled up, so that one shape is compiled.
    filled = np.pad(numbers, ((0, -len(numbers) % CELLS_AT_ONCE), (0, 0)))
    parts = np.split(filled, len(filled) // CELLS_AT_ONCE)
    return np.concatenate([predict(part) for part in parts])[: len(numbers)].astype(np.float64)


def _scores(probabilities: np.ndarray, struck: np.ndarray) -> dict[str, float]:
    own = np.where(struck == 1, probabilities, 1 - probabilities)
    loss = -np.log(np.maximum(own, np.finfo(np.float32).tiny))
    return {"loss": float(loss.mean()), "accuracy": float((own > 0.5).mean())}
