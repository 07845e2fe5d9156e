"""Composing: note after note, each drawn from what the model foretells.

The draw for the n-th note of a piece depends on the piece's seed and on n alone, so a piece
is the same in whatever company it is generated, and a longer one begins with the shorter.
"""

from dataclasses import dataclass

import numpy as np

from kantor.chorale import VOICES
from kantor.errors import KantorError
from kantor.progress import Progress
from kantor.runtime import keras, tf


@dataclass(frozen=True)
class Piece:
    """A piece to compose: a prompt (notes,) of tokens in whole rows, how many rows to add,
    the temperature (0 = greedy) and a seed.
    """

    prompt: np.ndarray
    rows: int
    temperature: float
    seed: int


def generate(model: keras.Model, pieces: list[Piece]) -> list[np.ndarray]:
    """Compose the pieces side by side; returns arpeggios that begin with the prompts."""
    ends = [len(piece.prompt) + piece.rows * len(VOICES) for piece in pieces]
    tokens = np.zeros((len(pieces), max(ends)), np.int32)
    for line, piece in zip(tokens, pieces, strict=True):
        line[: len(piece.prompt)] = piece.prompt
    draws = [np.random.Generator(np.random.Philox(piece.seed)) for piece in pieces]

    # The model is causal: the zeros behind a piece so far don't change what it foretells,
    # and with one shape it is compiled just once.
    @tf.function(jit_compile=True)
    def foretell(so_far: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        return tf.gather(model(so_far, training=False), place, axis=1)

    first = min(len(piece.prompt) for piece in pieces)
    with Progress("compose", max(ends) - first, "notes") as progress:
        for place in range(first, max(ends)):
            given = foretell(tf.constant(tokens), tf.constant(place - 1)).numpy()
            for i, piece in enumerate(pieces):
                if len(piece.prompt) <= place < ends[i]:
                    tokens[i, place] = choose(given[i], piece.temperature, draws[i].random())
            progress.advance()
    return [line[:end] for line, end in zip(tokens, ends, strict=True)]


def choose(probabilities: np.ndarray, temperature: float, draw: float) -> int:
    """The token that `draw`, uniform in [0, 1), picks from probabilities (47,).

    Each is raised to 1 / temperature: under 1 the likely gets likelier, over 1 all get more
    alike, and at 0 only the likeliest is left.
    """
    if not np.isfinite(probabilities).all() or not probabilities.any():
        raise KantorError(
            "the model foretells probabilities that are no numbers; train it again "
            "with a lower train.learning_rate"
        )
    if temperature == 0:
        return int(probabilities.argmax())
    with np.errstate(divide="ignore"):
        scores = np.log(probabilities.astype(np.float64))
        scores = (scores - scores.max()) / temperature
    summed = np.exp(scores).cumsum()
    return int(np.searchsorted(summed, draw * summed[-1], side="right"))
