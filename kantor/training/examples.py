"""What a network is trained on: windows as they were cut, or crops drawn anew every epoch.

Examples are what Keras's `fit` takes: the inputs of a member, and the notes that it is to
predict. A member that steps by notes takes arpeggios, int32 (examples, notes - 1), and predicts
the notes that follow them. One that steps by rows takes tokens, int32 (examples, rows, 4); if it
has a lookback, hints for each row, int32 (examples, rows, hints); and if it reads a plan, that of
each row, int32 (examples, rows, 6). It predicts those same notes, each from what is above and
before it.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np

from kantor import chorale, params, plan
from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOCABULARY_SIZE, VOICES
from kantor.data.records import Record
from kantor.network.lookback import NOTHING, PERIOD, TOKEN_HINTS
from kantor.network.model import Parts
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from kantor.system.runtime import keras

Inputs = np.ndarray | tuple[np.ndarray, ...]
Examples = tuple[Inputs, np.ndarray]

LENGTHS = 64  # pieces are filled up to a multiple of this many rows, for a few shapes only
ROWS_AT_ONCE = 4096
# What of a plan is known or unknown together.
PARTS_OF_A_PLAN = ((plan.TONIC, plan.MODE), (plan.BAR, plan.PLACE), (plan.PHRASE,), (plan.LEFT,))


class Windows:
    """Windows of one length, every one once an epoch, in a new order. Their plans are unknown."""

    def __init__(self, windows: Sequence[Record], parts: Parts) -> None:
        self._parts = parts
        self._rows = np.stack([window.tokens for window in windows])
        self._hints = None
        if parts.lookback:
            self._hints = np.stack(hints(self._rows, parts.lookback, "look back"))
        self.count = len(windows)

    def all(self) -> Examples:
        """The windows in the order of the records."""
        return _examples(self._parts, self._rows, self._hints)

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The windows in an order of this epoch."""
        order = draw.permutation(self.count)
        hints = None if self._hints is None else self._hints[order]
        return _examples(self._parts, self._rows[order], hints)


class Crops:
    """Crops of `settings.rows` rows, from any beat of any piece, in any key in which every voice
    stays within its range in the pieces. An epoch has as many as `settings.passes` passes of
    the pieces.

    The hints of a crop may come from rows before it in the piece. Those of the `standalone` share
    of crops come from the crop itself, as in windows and at the beginning of pieces; and like these
    it begins with a period of kantor.network.lookback, unless it is the end of the piece.

    The plan is the piece's own. The share `without_plan` of the crops knows nothing of it, and of
    the others the share `without_part` lacks one of its four parts: the key, the bars, the
    phrases, the rows left.
    """

    def __init__(
        self, pieces: Sequence[Record], parts: Parts, settings: params.Crops, batch_size: int
    ) -> None:
        self._length = settings.rows
        self._settings, self._parts = settings, parts
        self._pieces = [piece.tokens for piece in pieces]
        self._plans = [piece.plan for piece in pieces]
        lengths = np.array([len(tokens) for tokens in self._pieces])
        if lengths.min() < settings.rows:
            shortest = pieces[int(lengths.argmin())].chorale
            raise KantorError(
                f"params.yaml: train.crops.rows is {settings.rows}: chorale {shortest} has only "
                f"{lengths.min()} rows; choose a shorter crop"
            )
        self._hints = None
        if parts.lookback:
            self._hints = hints(self._pieces, parts.lookback, "look back")
        self._keys = keys(self._pieces) if settings.transpose else [(0, 0)] * len(pieces)
        self._share = lengths / lengths.sum()
        self._starts = (lengths - settings.rows) // ROWS_PER_QUARTER
        # Whole batches, since each size of batch is compiled anew.
        batches = math.ceil(lengths.sum() * settings.passes / settings.rows / batch_size)
        self.count = batches * batch_size

    def epoch(self, draw: np.random.Generator) -> Examples:
        """The crops of an epoch."""
        # Starts beyond the ends count as the ends, so that the first rows of a piece come as often
        # as others, and the last ones more often: all of them must sound like an end.
        beats = self._length // ROWS_PER_QUARTER
        before, beyond = beats // 3, round(beats * self._settings.beyond_end)
        crops, plans, hints_of_crops = [], [], []
        standalone = draw.random(self.count) < self._settings.standalone
        numbers = draw.choice(len(self._pieces), self.count, p=self._share)
        for piece, alone in zip(numbers, standalone, strict=True):
            start = draw.integers(-before, self._starts[piece] + beyond, endpoint=True)
            first = ROWS_PER_QUARTER * int(np.clip(start, 0, self._starts[piece]))
            if alone and start < self._starts[piece]:
                first -= first % PERIOD
            key = draw.integers(*self._keys[piece], endpoint=True)
            rows = slice(first, first + self._length)
            crops.append(transposed(self._pieces[piece][rows], key))
            if self._parts.plan:
                own = plan.transposed(self._plans[piece][rows], key)
                plans.append(partly_unknown(own, self._settings, draw))
            if self._hints:
                notes, others = np.split(self._hints[piece][rows], [TOKEN_HINTS], axis=1)
                hints_of_crops.append(np.hstack([transposed(notes, key), others]))
        tokens = np.stack(crops)
        plans = np.stack(plans) if plans else None
        if not self._hints:
            return _examples(self._parts, tokens, None, plans)
        all_hints = np.stack(hints_of_crops)
        # The GRUs begin with the crop: its first row is learnt as that of a piece or window, of
        # which only the place is known.
        all_hints[:, 0, :TOKEN_HINTS] = NOTHING
        all_hints[:, 0, TOKEN_HINTS:-1] = 0
        if standalone.any():
            own_hints = np.stack(hints(tokens[standalone], self._parts.lookback))
            all_hints[standalone, :, :-1] = own_hints[:, :, :-1]  # all but the place in the piece
        return _examples(self._parts, tokens, all_hints, plans)


def partly_unknown(
    own: np.ndarray, settings: params.Crops, draw: np.random.Generator
) -> np.ndarray:
    """A plan (rows, 6), with UNKNOWN for what isn't told of it: see Crops."""
    if draw.random() < settings.without_plan:
        return plan.unknown(len(own))
    own = own.copy()
    for columns in PARTS_OF_A_PLAN:
        if draw.random() < settings.without_part:
            own[:, columns] = plan.UNKNOWN
    return own


def hints(
    pieces: Sequence[np.ndarray], lookback: keras.Model, what: str | None = None
) -> list[np.ndarray]:
    """What `lookback` gives for the tokens (rows, 4) of each piece, int32 (rows, hints).

    `what` is for the progress; without it none is shown.
    """
    result: list[np.ndarray | None] = [None] * len(pieces)
    waiting = sorted(range(len(pieces)), key=lambda i: len(pieces[i]), reverse=True)
    with Progress(what, len(pieces), "pieces") if what else nullcontext() as progress:
        while waiting:
            longest = math.ceil(len(pieces[waiting[0]]) / LENGTHS) * LENGTHS
            size = max(1, ROWS_AT_ONCE // longest)
            batch, waiting = waiting[:size], waiting[size:]
            filled = np.zeros((size, longest, len(VOICES)), np.int32)
            for line, i in zip(filled, batch, strict=False):
                line[: len(pieces[i])] = pieces[i]
            # Whatever comes later leaves the hints as they are, so filling up is harmless.
            for i, output in zip(batch, lookback.predict_on_batch(filled), strict=False):
                result[i] = output[: len(pieces[i])].astype(np.int32)
            if progress:
                progress.advance(units=len(batch))
    return result


def keys(pieces: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """The lowest and the highest transposition of each piece (rows, 4), in semitones."""
    low, high = np.moveaxis(np.stack([chorale.ranges([piece]) for piece in pieces]), 2, 0)
    # A voice that is silent throughout binds nothing.
    down = np.where(high > SILENCE, low.min(axis=0) - low, -VOCABULARY_SIZE).max(axis=1)
    up = np.where(high > SILENCE, high.max(axis=0) - high, VOCABULARY_SIZE).min(axis=1)
    return list(zip(down.tolist(), up.tolist(), strict=True))


def transposed(tokens: np.ndarray, key: int) -> np.ndarray:
    """Tokens moved by `key` semitones; what is no pitch stays as it is."""
    pitch = (tokens > SILENCE) & (tokens < VOCABULARY_SIZE)
    return np.where(pitch, tokens + key, tokens).astype(np.int32)


def _examples(
    parts: Parts,
    tokens: np.ndarray,
    hints: np.ndarray | None,
    plans: np.ndarray | None = None,
) -> Examples:
    if parts.steps == "notes":
        arpeggios = tokens.reshape(len(tokens), -1)
        return arpeggios[:, :-1], arpeggios[:, 1:]
    inputs = [tokens]
    if hints is not None:
        inputs.append(hints)
    if parts.plan:
        nothing = np.full((*tokens.shape[:2], plan.COLUMNS), plan.UNKNOWN, np.int32)
        plans = nothing if plans is None else plans
        # In one key, the plan's.
        inputs += [plans, plans[:, :, None, : plan.KEY_COLUMNS]]
        return tuple(inputs), tokens[:, :, None]
    return (tuple(inputs) if inputs[1:] else tokens), tokens
