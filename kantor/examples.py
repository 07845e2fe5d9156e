"""What a network is trained on: windows as they were cut, or crops drawn anew every epoch.

Examples are what Keras's `fit` takes: the inputs of the network's core, arpeggios, int32
(examples, notes - 1), with hints beside them if the network has a part that recalls; and the
notes that follow, int32 (examples, notes - 1).
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from kantor.chorale import SILENCE, VOCABULARY, VOICES
from kantor.errors import KantorError
from kantor.params import Crops as Settings
from kantor.progress import Progress
from kantor.records import Record
from kantor.row_gru import HINTS, TOKEN_HINTS
from kantor.runtime import keras

Examples = tuple[np.ndarray | list[np.ndarray], np.ndarray]

BEAT = 4  # rows
LONGER = 64  # rows that arpeggios are filled up to the next multiple of, for a few shapes only
ROWS_AT_ONCE = 4096
HINTS_A_ROW = sum(HINTS.values())


class Windows:
    """Windows of one length, every one once an epoch, in a new order."""

    def __init__(self, windows: Sequence[Record], recall: keras.Model | None) -> None:
        self._tokens = np.stack([window.tokens for window in windows]).astype(np.int32)
        self._hints = np.stack(hints(self._tokens[:, :-1], recall, "recall")) if recall else None
        self.count = len(windows)

    def all(self) -> Examples:
        """The windows in the order of the records."""
        return _examples(self._tokens, self._hints)

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The windows in an order of this epoch."""
        order = draw.permutation(self.count)
        return _examples(self._tokens[order], None if self._hints is None else self._hints[order])


class Crops:
    """Stretches of so many rows, from any beat of any piece, in any key where every voice stays
    in the range that it has in the pieces; as many an epoch as make up so many passes.

    What a crop recalls may lie before it in the piece; only a share of them, `cold`, recall no
    more than themselves, as windows do and pieces at their beginning.
    """

    def __init__(
        self,
        pieces: Sequence[Record],
        recall: keras.Model | None,
        settings: Settings,
        batch_size: int,
    ) -> None:
        self._rows = rows = settings.rows
        self._cold, self._recall = settings.cold, recall
        self._pieces = [piece.tokens.astype(np.int32) for piece in pieces]
        lengths = np.array([len(tokens) // len(VOICES) for tokens in self._pieces])
        if lengths.min() < rows:
            shortest = pieces[int(lengths.argmin())].chorale
            raise KantorError(
                f"params.yaml: train.crops.rows is {rows}: chorale {shortest} has only "
                f"{lengths.min()} rows; choose a shorter crop"
            )
        self._hints = hints(self._pieces, recall, "recall") if recall else None
        self._keys = keys(self._pieces) if settings.transpose else [(0, 0)] * len(pieces)
        self._share = lengths / lengths.sum()
        self._starts = (lengths - rows) // BEAT
        # Whole batches, since each size of batch is compiled anew.
        self.count = math.ceil(lengths.sum() * settings.passes / rows / batch_size) * batch_size

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The crops of an epoch."""
        notes = self._rows * len(VOICES)
        # Beyond the ends, so that the first and the last rows come as often as others.
        beyond = self._rows // BEAT // 3
        tokens = np.empty((self.count, notes), np.int32)
        found = np.empty((self.count, self._rows, HINTS_A_ROW), np.int32)
        for i, piece in enumerate(draw.choice(len(self._pieces), self.count, p=self._share)):
            start = draw.integers(-beyond, self._starts[piece] + beyond, endpoint=True)
            first = BEAT * int(np.clip(start, 0, self._starts[piece]))
            key = draw.integers(*self._keys[piece], endpoint=True)
            begin = first * len(VOICES)
            tokens[i] = transposed(self._pieces[piece][begin : begin + notes], key)
            if self._recall:
                found[i] = self._hints[piece][first : first + self._rows]
                found[i, :, :TOKEN_HINTS] = transposed(found[i, :, :TOKEN_HINTS], key)
        if not self._recall:
            return _examples(tokens, None)
        cold = np.flatnonzero(draw.random(self.count) < self._cold)
        own = hints(tokens[cold, :-1], self._recall)
        for i, of_crop in zip(cold, own, strict=True):
            found[i, :, :-1] = of_crop[:, :-1]  # all but where in the piece it is
        return _examples(tokens, found)


def hints(
    arpeggios: Sequence[np.ndarray], recall: keras.Model, what: str | None = None
) -> list[np.ndarray]:
    """What `recall` gives for each arpeggio (notes,), int32 (notes // 4 + 1, hints).

    `what` is for the progress; without it none is shown.
    """
    result: list[np.ndarray | None] = [None] * len(arpeggios)
    waiting = sorted(range(len(arpeggios)), key=lambda i: len(arpeggios[i]), reverse=True)
    with Progress(what, len(arpeggios), "arpeggios") if what else nullcontext() as progress:
        while waiting:
            rows = math.ceil(len(arpeggios[waiting[0]]) / (LONGER * len(VOICES))) * LONGER
            some = waiting[: max(1, ROWS_AT_ONCE // rows)]
            waiting = waiting[len(some) :]
            filled = np.zeros((max(1, ROWS_AT_ONCE // rows), rows * len(VOICES)), np.int32)
            for line, i in zip(filled, some, strict=False):
                line[: len(arpeggios[i])] = arpeggios[i]
            # Whatever comes later leaves the hints as they are, so filling up is harmless.
            for i, given in zip(some, recall.predict_on_batch(filled), strict=False):
                result[i] = given[: len(arpeggios[i]) // len(VOICES) + 1].astype(np.int32)
            if progress:
                progress.advance(units=len(some))
    return result


def keys(pieces: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """The lowest and the highest transposition of each piece, in semitones."""

    def ranges(tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = tokens.reshape(-1, len(VOICES))
        lowest = np.where(rows == SILENCE, VOCABULARY, rows).min(axis=0)
        return lowest, rows.max(axis=0)

    low, high = (np.stack(ends) for ends in zip(*map(ranges, pieces), strict=True))
    # A voice that is silent throughout binds nothing.
    down = np.where(high > SILENCE, low.min(axis=0) - low, -VOCABULARY).max(axis=1)
    up = np.where(high > SILENCE, high.max(axis=0) - high, VOCABULARY).min(axis=1)
    return list(zip(down.tolist(), up.tolist(), strict=True))


def transposed(tokens: np.ndarray, key: int) -> np.ndarray:
    """Tokens moved by `key` semitones; what is no pitch stays as it is."""
    pitch = (tokens > SILENCE) & (tokens < VOCABULARY)
    return np.where(pitch, tokens + key, tokens).astype(np.int32)


def _examples(tokens: np.ndarray, found: np.ndarray | None) -> Examples:
    before, after = tokens[:, :-1], tokens[:, 1:]
    return (before if found is None else [before, found]), after
