"""Composing: note after note, each drawn from what the model predicts.

The draw for the n-th composed note of a piece depends on the piece's seed and on n alone, so
a piece is the same in whatever company it is composed, and a longer one begins with the
shorter. The state of the model is carried along, for all pieces at once, in a compiled loop.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from kantor import chorale, plan
from kantor.chorale import SILENCE, VOICES
from kantor.params import SamplerOptions
from kantor.sampling import drawing
from kantor.sampling.drawing import NONE
from kantor.sampling.predictor import State, predictor
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from kantor.system.runtime import keras, tf

ROWS_AT_ONCE = 16
ROOM = 128  # the memory has room for a multiple of so many rows


Item = TypeVar("Item")


@dataclass(frozen=True)
class Request:
    """A piece to compose.

    `prompt` is a grid (prompt rows, 4) that it goes on from; without one, the model starts by
    itself. `rows` are added. Its draws start from `seed`, 0 or more. `plan` (all rows, 6) asks for
    key, bars and phrases; see kantor.plan. KantorError tells of what is impossible.
    """

    prompt: np.ndarray | None
    rows: int
    seed: int
    options: SamplerOptions = field(default_factory=SamplerOptions)
    plan: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.prompt is not None:
            prompt = np.asarray(self.prompt)
            if prompt.ndim != 2 or prompt.shape[1] != len(VOICES) or prompt.dtype.kind not in "iu":
                raise KantorError(
                    f"a prompt of shape {prompt.shape} and type {prompt.dtype}; expected a grid "
                    "(rows, 4) of whole numbers"
                )
            chorale.check(self.prompt, "a prompt")
        if self.rows < 1:
            raise KantorError(f"a piece of {self.rows} rows; expected 1 or more")
        if self.seed < 0:
            raise KantorError(f"a piece with seed {self.seed}; expected 0 or more")
        if self.plan is not None:
            shape, table = (self.all_rows, plan.COLUMNS), np.asarray(self.plan)
            if table.shape != shape or table.dtype.kind not in "iu":
                raise KantorError(
                    f"a plan of shape {table.shape} and type {table.dtype}; expected {shape}, "
                    "prompt included, of whole numbers"
                )

    @property
    def prompt_rows(self) -> int:
        """How many rows the prompt has, 0 without one."""
        return 0 if self.prompt is None else len(self.prompt)

    @property
    def all_rows(self) -> int:
        """How many rows the piece has in the end."""
        return self.prompt_rows + self.rows


class Sampler:
    """Composes with one model. What is compiled serves all requests that are as many, and about
    as long.
    """

    def __init__(self, model: keras.Model) -> None:
        self._predictor = predictor(model)
        self._compiled = tf.function(self._go_on, jit_compile=True, autograph=False)

    def compose(self, requests: Sequence[Request]) -> list[np.ndarray]:
        """Compose one or more pieces side by side; grids that begin with the prompts.

        KantorError says that the model is broken.
        """
        parts = []
        with Progress("compose", _rows(requests), "rows") as progress:
            for rows in self.stream(requests):
                parts.append(rows)
                progress.advance(units=len(rows))
        tokens = np.concatenate(parts).swapaxes(0, 1)
        return [
            chorale.decode(piece[: request.all_rows])
            for piece, request in zip(tokens, requests, strict=True)
        ]

    def stream(self, requests: Sequence[Request]) -> Iterator[np.ndarray]:
        """The tokens of all pieces, prompts included, int32 (ROWS_AT_ONCE, pieces, 4), as they
        come, up to the end of the longest piece or some rows beyond.
        """
        prompts, draws, plans = _prepared(requests)
        silence = tf.fill((len(requests), len(VOICES)), SILENCE)
        guidance = [drawing.guidance(request.options, request.plan) for request in requests]
        keyless = drawing.keyless([request.plan for request in requests])
        fresh = self._predictor.start(len(requests), room(len(prompts)), guidance, keyless)
        state = fresh, silence
        options = drawing.arguments([request.options for request in requests])
        for first in range(0, len(prompts), ROWS_AT_ONCE):
            these = (tf.constant(x[first : first + ROWS_AT_ONCE]) for x in (prompts, draws, plans))
            notes, state = self._compiled(state, tf.constant(first), *these, options)
            if (rows := notes.numpy()).min() == NONE:
                raise KantorError(
                    "the model predicts probabilities that are no numbers; train it again "
                    "with a lower train.learning_rate"
                )
            yield rows

    def _go_on(
        self,
        state: tuple[State, tf.Tensor],
        first: tf.Tensor,
        prompts: tf.Tensor,
        draws: tf.Tensor,
        plans: tf.Tensor,
        options: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, tuple[State, tf.Tensor]]:
        """Compose some rows from `first` on, where `prompts` (rows, pieces, 4) has no tokens. With
        the state of the predictor come the notes of the row before, int32 (pieces, 4).
        """

        def one(index, state, rows):
            state, before = state

            def decide(voice, probabilities, notes):
                drawn, ready = draws[index, :, voice], prompts[index]
                return drawing.note(voice, probabilities, drawn, before, notes, ready, options)

            notes, _, state = self._predictor.row(state, first + index, plans[index], decide)
            return index + 1, (state, notes), rows.write(index, notes)

        rows = tf.TensorArray(tf.int32, ROWS_AT_ONCE, element_shape=prompts.shape[1:])
        _, state, rows = tf.while_loop(
            lambda index, *_: index < ROWS_AT_ONCE,
            one,
            (tf.constant(0), state, rows),
            maximum_iterations=ROWS_AT_ONCE,
        )
        return rows.stack(), state


def padded(rows: int) -> int:
    """Rows, rounded up to those that are composed at once."""
    return math.ceil(rows / ROWS_AT_ONCE) * ROWS_AT_ONCE


def room(rows: int) -> int:
    """Rows, rounded up to a multiple of ROOM, since each size takes seconds to compile."""
    return math.ceil(rows / ROOM) * ROOM


def groups(items: Sequence[Item], most: int) -> Iterator[tuple[list[Item], list[Item]]]:
    """Items in groups of up to `most`, about as large; and each group again, filled up with its
    first item to be as large as the others, so that nothing is compiled anew.
    """
    count = math.ceil(len(items) / most)
    size = math.ceil(len(items) / max(count, 1))
    for number in range(count):
        group = list(items[number * size : (number + 1) * size])
        yield group, [*group, *group[:1] * (size - len(group))]


def seed_for(seed: int, *numbers: int) -> int:
    """A seed of its own for each piece: from `seed` and the numbers, 0 or more, that name it."""
    return int(np.random.SeedSequence((seed, *numbers)).generate_state(1, np.uint64)[0])


def _prepared(requests: Sequence[Request]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tokens where there are prompts, int32, and draws, float32, both (rows, pieces, 4), and the
    plans, int32 (rows, pieces, 6), UNKNOWN where there are none.
    """
    shape = (len(requests), _rows(requests), len(VOICES))
    prompts = np.full(shape, NONE, np.int32)
    draws = np.zeros(shape, np.float32)
    plans = np.full((*shape[:2], plan.COLUMNS), plan.UNKNOWN, np.int32)
    for prompt, drawn, asked, request in zip(prompts, draws, plans, requests, strict=True):
        rows = request.prompt_rows
        if rows:
            prompt[:rows] = chorale.encode(request.prompt)
        generator = np.random.Generator(np.random.Philox(request.seed))
        drawn[rows:] = generator.random((len(drawn) - rows, len(VOICES)))
        if request.plan is not None:
            asked[: request.all_rows] = request.plan
    return prompts.swapaxes(0, 1), draws.swapaxes(0, 1), plans.swapaxes(0, 1)


def _rows(requests: Sequence[Request]) -> int:
    return padded(max(request.all_rows for request in requests))
