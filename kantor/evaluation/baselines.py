"""Two trivial baselines, to see what a model's figures are worth: a bigram, and a copy."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.data.records import Record
from kantor.evaluation.likelihood import Predictor, mean


def bigram(pieces: Sequence[Record], smoothing: float) -> Predictor:
    """Predicts from the note before in the voice, by counts in `pieces` plus `smoothing`.

    Before the first row there is a token of its own.
    """
    start = VOCABULARY_SIZE
    counts = np.full((len(VOICES), VOCABULARY_SIZE + 1, VOCABULARY_SIZE), smoothing)
    for piece in pieces:
        for voice, line in enumerate(piece.tokens.T):
            np.add.at(counts[voice], (np.concatenate([[start], line[:-1]]), line), 1)
    table = counts / counts.sum(axis=2, keepdims=True)

    def predict(pieces: list[np.ndarray]) -> list[np.ndarray]:
        first = np.full((1, len(VOICES)), start)
        return [table[range(len(VOICES)), np.vstack([first, piece[:-1]])] for piece in pieces]

    return predict


def copy_accuracy(notes: pd.DataFrame) -> float | None:
    """How often the note before in the voice is the right one; never in a first row. `notes` is
    a frame from kantor.evaluation.likelihood.predictions.
    """
    return mean(notes["before"] == notes["token"])
