"""Composing: note after note, each drawn from what the model foretells.

The draw for the n-th composed note of a piece depends on the piece's seed and on n alone, so
a piece is the same in whatever company it is generated, and a longer one begins with the
shorter. What the model remembers is carried along, for all pieces at once, in a compiled loop.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kantor import foretelling
from kantor.chorale import VOCABULARY, VOICES
from kantor.errors import KantorError
from kantor.progress import Progress
from kantor.runtime import keras, tf

ROWS_AT_ONCE = 16
PIECES_AT_ONCE = 256
NONE = -1  # in place of a token: to be composed; or no token could be drawn


@dataclass(frozen=True)
class Piece:
    """A piece to compose.

    `prompt` holds the tokens, int (notes,), of whole rows that it goes on from; without one,
    the model starts by itself. `rows` are added. `seed` is where its draws start.
    `temperature` sharpens (below 1) or flattens what is foretold, and at 0 the likeliest note
    is taken. Then only the `top_k` likeliest notes are left (0 = all), and of them as few of
    the likeliest as together have the share `top_p` (Holtzman et al., "The Curious Case of
    Neural Text Degeneration", arXiv 1904.09751). What is impossible raises KantorError.
    """

    prompt: np.ndarray | None
    rows: int
    seed: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        def expect(condition: bool, found: str, expected: str) -> None:
            if not condition:
                raise KantorError(f"a piece to compose has {found}; expected {expected}")

        tokens = self.known
        expect(
            self.prompt is None
            or (tokens.ndim == 1 and tokens.size > 0 and tokens.size % len(VOICES) == 0),
            f"a prompt of shape {tokens.shape}",
            "an arpeggio of one whole row or more, or None for no prompt",
        )
        wrong = tokens[~np.isin(tokens, np.arange(VOCABULARY))]
        expect(
            not wrong.size,
            f"{wrong[:1].tolist()} in its prompt",
            f"tokens, 0 to {VOCABULARY - 1}; kantor.chorale.encode makes them from pitches",
        )
        expect(self.rows >= 1, f"{self.rows} rows", "1 or more")
        expect(self.seed >= 0, f"seed {self.seed}", "0 or more")
        expect(
            self.temperature >= 0 and math.isfinite(self.temperature),
            f"temperature {self.temperature}",
            "0 (the likeliest note) or more",
        )
        expect(self.top_k >= 0, f"top_k {self.top_k}", "0 (all) or more")
        expect(0 < self.top_p <= 1, f"top_p {self.top_p}", "more than 0, at most 1 (all)")

    @property
    def known(self) -> np.ndarray:
        """The prompt's tokens, none if there is no prompt."""
        return np.array([], np.int32) if self.prompt is None else np.asarray(self.prompt)

    @property
    def notes(self) -> int:
        """How many notes it has in the end."""
        return len(self.known) + self.rows * len(VOICES)


class Composer:
    """Composes with one model; what is compiled serves all pieces that are as many, and about
    as long.
    """

    def __init__(self, model: keras.Model) -> None:
        self._foretell = foretelling.of(model)
        self._compiled = tf.function(self._go_on, jit_compile=True)

    def compose(self, pieces: Sequence[Piece]) -> list[np.ndarray]:
        """Compose one or more pieces side by side; arpeggios that begin with the prompts.

        KantorError says that the model is broken.
        """
        parts = []
        with Progress("compose", _rows(pieces), "rows") as progress:
            for rows in self.stretches(pieces):
                parts.append(rows)
                progress.advance(units=len(rows))
        tokens = np.concatenate(parts).swapaxes(0, 1).reshape(len(pieces), -1)
        return [line[: piece.notes] for line, piece in zip(tokens, pieces, strict=True)]

    def stretches(self, pieces: Sequence[Piece]) -> Iterator[np.ndarray]:
        """The rows of all pieces, prompts included, int32 (ROWS_AT_ONCE, pieces, 4), as they
        come, up to the end of the longest piece or some rows beyond.
        """
        given, draws = _prepared(pieces)
        state = self._foretell.start(len(pieces), len(given))
        how = {"temperature": tf.constant([piece.temperature for piece in pieces], tf.float32)}
        if any(piece.top_k or piece.top_p < 1 for piece in pieces):
            how["top_k"] = tf.constant([piece.top_k or VOCABULARY for piece in pieces])
            how["top_p"] = tf.constant([piece.top_p for piece in pieces], tf.float32)
        for first in range(0, len(given), ROWS_AT_ONCE):
            these = (tf.constant(x[first : first + ROWS_AT_ONCE]) for x in (given, draws))
            notes, state = self._compiled(state, tf.constant(first), *these, how)
            if (rows := notes.numpy()).min() == NONE:
                raise KantorError(
                    "the model foretells probabilities that are no numbers; train it again "
                    "with a lower train.learning_rate"
                )
            yield rows

    def _go_on(
        self,
        state: foretelling.State,
        first: tf.Tensor,
        given: tf.Tensor,
        draws: tf.Tensor,
        how: dict[str, tf.Tensor],
    ) -> tuple[tf.Tensor, foretelling.State]:
        """Compose some rows from `first` on, where `given` (rows, pieces, 4) has no tokens."""

        def one(index, state, rows):
            def chosen(voice, probabilities):
                drawn = choose(probabilities, draws[index, :, voice], **how)
                known = given[index, :, voice]
                return tf.where(known == NONE, drawn, known)

            notes, state = self._foretell.row(state, first + index, chosen)
            return index + 1, state, rows.write(index, notes)

        rows = tf.TensorArray(tf.int32, ROWS_AT_ONCE, element_shape=given.shape[1:])
        _, state, rows = tf.while_loop(
            lambda index, *_: index < ROWS_AT_ONCE,
            one,
            (tf.constant(0), state, rows),
            maximum_iterations=ROWS_AT_ONCE,
        )
        return rows.stack(), state


def generate(model: keras.Model, pieces: Sequence[Piece]) -> list[np.ndarray]:
    """Compose any number of pieces; returns arpeggios that begin with the prompts."""
    composer = Composer(model)
    groups = (pieces[i : i + PIECES_AT_ONCE] for i in range(0, len(pieces), PIECES_AT_ONCE))
    return [arpeggio for group in groups for arpeggio in composer.compose(group)]


def choose(
    probabilities: tf.Tensor,
    draws: tf.Tensor,
    temperature: tf.Tensor,
    top_k: tf.Tensor | None = None,
    top_p: tf.Tensor | None = None,
) -> tf.Tensor:
    """The tokens, int32 (pieces,), that draws, uniform in [0, 1), pick from probabilities
    (pieces, 47); NONE where those are no numbers.

    `temperature` and `top_p`, float32, and `top_k`, int32, all (pieces,), are those of a Piece,
    but for `top_k`, where 47 stands for all. Each probability is raised to 1 / temperature.
    """
    largest = tf.reduce_max(probabilities, axis=1, keepdims=True)
    exponents = tf.math.log(probabilities / largest) / tf.maximum(temperature, 1e-30)[:, None]
    likeliest = tf.one_hot(tf.argmax(probabilities, axis=1), VOCABULARY)
    weights = tf.where(temperature[:, None] > 0, tf.exp(exponents), likeliest)
    if top_k is not None:
        weights = _kept(weights, top_k, top_p)
    # A running sum as a product: XLA's own is slow on a processor.
    summed = weights @ tf.linalg.band_part(tf.ones((VOCABULARY, VOCABULARY)), 0, -1)
    token = tf.reduce_sum(tf.cast(summed <= draws[:, None] * summed[:, -1:], tf.int32), axis=1)
    last = VOCABULARY - 1 - tf.argmax(weights[:, ::-1] > 0, axis=1, output_type=tf.int32)
    fine = tf.reduce_all(tf.math.is_finite(probabilities), axis=1) & (largest[:, 0] > 0)
    return tf.where(fine, tf.minimum(token, last), NONE)


def _kept(weights: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """The weights (pieces, 47) without those that top-k and then top-p leave out."""
    mine, others = weights[:, :, None], weights[:, None, :]
    token = tf.range(VOCABULARY)
    heavier = (others > mine) | ((others == mine) & (token < token[:, None]))
    rank = tf.reduce_sum(tf.cast(heavier, tf.int32), axis=2)
    weights = tf.where(rank < top_k[:, None], weights, 0)
    share = weights / tf.reduce_sum(weights, axis=1, keepdims=True)
    before = tf.reduce_sum(tf.where(heavier, share[:, None, :], 0), axis=2)
    # Sums are rounded: whatever they say, the likeliest is left, and at 1 are all.
    left = (before < top_p[:, None]) | (rank == 0) | (top_p[:, None] == 1)
    return tf.where(left, weights, 0)


def own_seed(seed: int, *key: int) -> int:
    """A seed for the piece that numbers from 0 on name, whatever other pieces there are."""
    return int(np.random.SeedSequence((seed, *key)).generate_state(1, np.uint64)[0])


def _prepared(pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray]:
    """Tokens where there are prompts, int32, and draws, float32, both (rows, pieces, 4)."""
    notes = _rows(pieces) * len(VOICES)
    given = np.full((len(pieces), notes), NONE, np.int32)
    draws = np.zeros((len(pieces), notes), np.float32)
    for line, drawn, piece in zip(given, draws, pieces, strict=True):
        known = len(piece.known)
        line[:known] = piece.known
        drawn[known:] = np.random.Generator(np.random.Philox(piece.seed)).random(notes - known)
    in_rows = (len(pieces), -1, len(VOICES))
    return given.reshape(in_rows).swapaxes(0, 1), draws.reshape(in_rows).swapaxes(0, 1)


def _rows(pieces: Sequence[Piece]) -> int:
    """Rows of the longest piece, and some more, so that few lengths are compiled."""
    longest = max(piece.notes for piece in pieces) // len(VOICES)
    return math.ceil(longest / ROWS_AT_ONCE) * ROWS_AT_ONCE
