"""What a network is trained on: windows as they were cut, or crops drawn anew every epoch.

Examples are what Keras's `fit` takes: the inputs of a network's core and what it is to foretell.
A core that steps by notes takes arpeggios, int32 (examples, notes - 1), and foretells the notes
that follow them. One that steps by rows, and has a part that recalls, takes rows, int32
(examples, rows, 4), with the hints for each, int32 (examples, rows, hints), and foretells those
same rows, each from what is above and before.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from kantor.chorale import SILENCE, VOCABULARY, VOICES
from kantor.errors import KantorError
from kantor.params import Crops as Settings
from kantor.progress import Progress
from kantor.recall import HINTS, NOTHING, TOKEN_HINTS
from kantor.records import Record
from kantor.runtime import keras

Examples = tuple[np.ndarray | tuple[np.ndarray, np.ndarray], np.ndarray]

BEAT = 4  # rows
LONGER = 64  # rows that pieces are filled up to the next multiple of, for a few shapes only
ROWS_AT_ONCE = 4096


class Windows:
    """Windows of one length, every one once an epoch, in a new order."""

    def __init__(self, windows: Sequence[Record], recall: keras.Model | None) -> None:
        self._rows = np.stack([_rows(window) for window in windows])
        self._hints = np.stack(hints(self._rows, recall, "recall")) if recall else None
        self.count = len(windows)

    def all(self) -> Examples:
        """The windows in the order of the records."""
        return _examples(self._rows, self._hints)

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The windows in an order of this epoch."""
        order = draw.permutation(self.count)
        return _examples(self._rows[order], None if self._hints is None else self._hints[order])


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
        self._length = settings.rows
        self._cold, self._recall = settings.cold, recall
        self._pieces = [_rows(piece) for piece in pieces]
        lengths = np.array([len(rows) for rows in self._pieces])
        if lengths.min() < settings.rows:
            shortest = pieces[int(lengths.argmin())].chorale
            raise KantorError(
                f"params.yaml: train.crops.rows is {settings.rows}: chorale {shortest} has only "
                f"{lengths.min()} rows; choose a shorter crop"
            )
        self._hints = hints(self._pieces, recall, "recall") if recall else None
        self._keys = keys(self._pieces) if settings.transpose else [(0, 0)] * len(pieces)
        self._share = lengths / lengths.sum()
        self._starts = (lengths - settings.rows) // BEAT
        # Whole batches, since each size of batch is compiled anew.
        batches = math.ceil(lengths.sum() * settings.passes / settings.rows / batch_size)
        self.count = batches * batch_size

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The crops of an epoch."""
        # Beyond the ends, so that the first and the last rows come as often as others.
        beyond = self._length // BEAT // 3
        crops, found = [], []
        for piece in draw.choice(len(self._pieces), self.count, p=self._share):
            start = draw.integers(-beyond, self._starts[piece] + beyond, endpoint=True)
            first = BEAT * int(np.clip(start, 0, self._starts[piece]))
            key = draw.integers(*self._keys[piece], endpoint=True)
            stretch = slice(first, first + self._length)
            crops.append(transposed(self._pieces[piece][stretch], key))
            if self._recall:
                notes, others = np.split(self._hints[piece][stretch], [TOKEN_HINTS], axis=1)
                found.append(np.hstack([transposed(notes, key), others]))
        rows = np.stack(crops)
        if not self._recall:
            return _examples(rows, None)
        found = np.stack(found)
        # The GRUs begin with the crop: its first row is learnt as that of a piece or window.
        found[:, 0, : HINTS["before"]] = NOTHING
        cold = np.flatnonzero(draw.random(self.count) < self._cold)
        for i, of_crop in zip(cold, hints(rows[cold], self._recall), strict=True):
            found[i, :, :-1] = of_crop[:, :-1]  # all but where in the piece it is
        return _examples(rows, found)


def hints(
    pieces: Sequence[np.ndarray], recall: keras.Model, what: str | None = None
) -> list[np.ndarray]:
    """What `recall` gives for the rows (rows, 4) of each piece, int32 (rows, hints).

    `what` is for the progress; without it none is shown.
    """
    result: list[np.ndarray | None] = [None] * len(pieces)
    waiting = sorted(range(len(pieces)), key=lambda i: len(pieces[i]), reverse=True)
    with Progress(what, len(pieces), "pieces") if what else nullcontext() as progress:
        while waiting:
            longest = math.ceil(len(pieces[waiting[0]]) / LONGER) * LONGER
            some = waiting[: max(1, ROWS_AT_ONCE // longest)]
            waiting = waiting[len(some) :]
            filled = np.zeros((max(1, ROWS_AT_ONCE // longest), longest, len(VOICES)), np.int32)
            for line, i in zip(filled, some, strict=False):
                line[: len(pieces[i])] = pieces[i]
            # Whatever comes later leaves the hints as they are, so filling up is harmless.
            for i, given in zip(some, recall.predict_on_batch(filled), strict=False):
                result[i] = given[: len(pieces[i])].astype(np.int32)
            if progress:
                progress.advance(units=len(some))
    return result


def keys(pieces: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """The lowest and the highest transposition of each piece (rows, 4), in semitones."""

    def ranges(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _rows(record: Record) -> np.ndarray:
    return record.tokens.reshape(-1, len(VOICES)).astype(np.int32)


def _examples(rows: np.ndarray, found: np.ndarray | None) -> Examples:
    if found is not None:
        return (rows, found), rows
    tokens = rows.reshape(len(rows), -1)
    return tokens[:, :-1], tokens[:, 1:]
