"""Completing: some cells of a piece are there, and the others are composed so that all agree.

The notes come from the posterior of the model: what it predicts when it also knows the notes that
come later. A particle filter draws from that. Many particles, which are pieces side by side, are
composed row by row. Each weighs what the model expected, after all its notes before, of those that
are there. When few particles have most of the weight, they are resampled: heavy ones go on as
several, light ones end.

With plain options the particles are draws from the posterior, better ones the more there are, and
`evidence` comes from an unbiased estimate of the probability of the notes that are there. With
others, notes are drawn as the options say, and what is there is weighed as before. With a penalty,
each fault of kantor.sampling.faults makes its particle weigh so many nats less.

Naesseth, Lindsten and Schön, "Elements of Sequential Monte Carlo" (2019); Lew et al., "Sequential
Monte Carlo Steering of Large Language Models" (2023).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kantor import chorale
from kantor.chorale import SILENCE, VOICES
from kantor.sampling import drawing, faults
from kantor.sampling.drawing import NONE
from kantor.sampling.faults import Standing
from kantor.sampling.fragments import Fragment, prepared
from kantor.sampling.needs import PIECES_AT_ONCE
from kantor.sampling.predictor import State, predictor
from kantor.sampling.sampler import ROWS_AT_ONCE, groups, padded, room
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from kantor.system.runtime import keras, tf

ENOUGH = 0.5  # of the particles: they are resampled when fewer than this share of them count


class Particles(NamedTuple):
    """What came of a fragment. All logarithms are natural."""

    grids: np.ndarray  # (particles, rows, 4)
    log_weights: np.ndarray  # (particles,); the weights sum to 1
    log_probabilities: np.ndarray  # (particles,): of all notes of each, as the model predicts them
    evidence: float  # the log of the estimated probability of the notes that are there

    def drawn(self, seed: int) -> int:
        """The number of a particle, drawn by weight."""
        # They are float32, and those of a very long piece sum to 1 too roughly for numpy.
        shares = np.exp(self.log_weights).astype(np.float64)
        shares /= shares.sum()
        return int(np.random.Generator(np.random.Philox(seed)).choice(len(shares), p=shares))


class Totals(NamedTuple):
    """Logarithms, summed from row to row: of the weights since particles were last resampled and of
    the probability of all notes (fragments, particles), and of the evidence before (fragments,).
    """

    weights: tf.Tensor
    probabilities: tf.Tensor
    evidence: tf.Tensor


class Playing(NamedTuple):
    """Where the pieces are: the predictor's state, the notes of the row before (pieces, 4), and how
    their chord stands.
    """

    predicted: State
    notes: tf.Tensor
    chord: Standing


class Filter:
    """Completes with one model. What is compiled serves all fragments that are as many, and about
    as long.
    """

    def __init__(self, model: keras.Model, particles: int) -> None:
        self._predictor, self.particles = predictor(model), particles
        self._compiled = tf.function(self._go_on, jit_compile=True, autograph=False)

    def complete(
        self,
        fragments: Sequence[Fragment],
        originals: Sequence[np.ndarray] | None = None,
        longest: int = 0,
    ) -> list[Particles]:
        """Complete one or more fragments side by side. If others follow of which the `longest` has
        so many rows, what is compiled serves them, too.

        `originals`, grids that agree with the fragments, are to measure with. Each is the first
        particle of its fragment, whatever it weighs, and 1 / exp(evidence) is then an unbiased
        estimate of 1 over the probability (Grosse, Ghahramani and Adams, "Sandwiching the Marginal
        Likelihood Using Bidirectional Monte Carlo", 2015).

        KantorError says that the notes can't be reached, or that the model is broken.
        """
        shape = len(fragments), self.particles
        pieces, rows = shape[0] * shape[1], padded(max(len(one.grid) for one in fragments))
        inputs = prepared(fragments, self.particles, rows, originals)
        guidance = [drawing.guidance(one.options, one.plan) for one in fragments]
        guidance = np.repeat(guidance, self.particles).tolist()
        keyless = drawing.keyless([one.plan for one in fragments])
        options = [one.options for one in fragments for _ in range(self.particles)]
        options = drawing.arguments(options)
        penalties = [one.options.penalty for one in fragments]
        penalty = tf.constant(penalties, tf.float32) if any(penalties) else None
        state = (
            Playing(
                self._predictor.start(pieces, room(max(rows, longest)), guidance, keyless),
                tf.fill((pieces, len(VOICES)), SILENCE),
                faults.standing(pieces),
            ),
            Totals(tf.zeros(shape), tf.zeros(shape), tf.zeros(shape[:1])),
        )
        notes, ancestors = [], []
        with Progress("compose", rows, "rows") as progress:
            for first in range(0, rows, ROWS_AT_ONCE):
                chunk = [tf.constant(part[first : first + ROWS_AT_ONCE]) for part in inputs]
                *decided, state = self._compiled(state, tf.constant(first), chunk, options, penalty)
                notes.append(decided[0].numpy())
                ancestors.append(decided[1].numpy())
                _check(notes[-1], state[1], fragments, first)
                progress.advance(units=ROWS_AT_ONCE)
        grids = _traced(np.concatenate(notes), np.concatenate(ancestors))
        weights, probabilities, evidence = (total.numpy() for total in state[1])
        largest = weights.max(axis=1, keepdims=True)
        sums = largest + np.log(np.exp(weights - largest).sum(axis=1, keepdims=True))
        evidence += sums[:, 0] - np.log(self.particles)
        return [
            Particles(
                chorale.decode(grids[number, :, : len(fragment.grid)]),
                weights[number] - sums[number],
                probabilities[number],
                float(evidence[number]),
            )
            for number, fragment in enumerate(fragments)
        ]

    def _go_on(
        self,
        state: tuple[Playing, Totals],
        first: tf.Tensor,
        inputs: list[tf.Tensor],
        options: dict[str, tf.Tensor],
        penalty: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor, tuple[Playing, Totals]]:
        """Compose some rows from `first` on, with the inputs of `prepared` and the nats that a
        fault weighs, (fragments,), if one does: the notes, int32 (rows, fragments, particles, 4),
        and which particle each place of the next row goes on from, int32 (rows, fragments,
        particles).
        """
        tokens, draws, plans, there, inside, places = inputs
        shape = places.shape[1:]

        def one(index, state, rows, lineage):
            (predicted, before, chord), totals = state

            def decide(voice, probabilities, notes):
                drawn, ready = draws[index, :, voice], tokens[index]
                return drawing.note(voice, probabilities, drawn, before, notes, ready, options)

            notes, logs, predicted = self._predictor.row(
                predicted, first + index, plans[index], decide
            )
            rows = rows.write(index, tf.reshape(notes, (*shape, len(VOICES))))
            logs = tf.reshape(logs, (*shape, len(VOICES)))
            logs = tf.where(inside[index, :, None, None], logs, 0)
            weighed = tf.where(there[index, :, None], logs, 0)
            weights = totals.weights + tf.reduce_sum(weighed, axis=2)
            if penalty is not None:
                marks, chord = faults.count(before, notes, plans[index], chord)
                if memory := predicted.get("memory"):
                    marks += faults.loops(memory["alike"], first + index)
                marks = tf.where(inside[index, :, None], tf.reshape(marks, shape), 0)
                weights -= penalty[:, None] * marks
            totals = totals._replace(
                weights=weights, probabilities=totals.probabilities + tf.reduce_sum(logs, axis=2)
            )
            playing = Playing(predicted, notes, chord)
            few = _count(totals.weights) < ENOUGH * shape[1]
            ancestors = _ancestors(totals.weights, places[index])
            ancestors = tf.where(few[:, None], ancestors, tf.range(shape[1]))
            after = tf.cond(
                tf.reduce_any(few),
                lambda: _resampled(playing, totals, ancestors, few),
                lambda: (playing, totals),
            )
            return index + 1, after, rows, lineage.write(index, ancestors)

        rows = tf.TensorArray(tf.int32, ROWS_AT_ONCE, element_shape=(*shape, len(VOICES)))
        lineage = tf.TensorArray(tf.int32, ROWS_AT_ONCE, element_shape=shape)
        _, state, rows, lineage = tf.while_loop(
            lambda index, *_: index < ROWS_AT_ONCE,
            one,
            (tf.constant(0), state, rows, lineage),
            maximum_iterations=ROWS_AT_ONCE,
        )
        return rows.stack(), lineage.stack(), state


def complete(model: keras.Model, fragments: Sequence[Fragment], particles: int) -> list[Particles]:
    """Complete any number of fragments, each with so many particles."""
    particle_filter = Filter(model, particles)
    longest = max((len(one.grid) for one in fragments), default=0)
    return [
        completed
        for group, filled in groups(fragments, max(PIECES_AT_ONCE // particles, 1))
        for completed in particle_filter.complete(filled, longest=longest)[: len(group)]
    ]


def _shares(log_weights: tf.Tensor) -> tf.Tensor:
    """Weights (fragments, particles), the largest as 1."""
    return tf.exp(log_weights - tf.reduce_max(log_weights, axis=1, keepdims=True))


def _count(log_weights: tf.Tensor) -> tf.Tensor:
    """How many equal particles (fragments,) the weights (fragments, particles) are worth (Kong, Liu
    and Wong, "Sequential Imputations and Bayesian Missing Data Problems", 1994).
    """
    shares = _shares(log_weights)
    return tf.reduce_sum(shares, axis=1) ** 2 / tf.reduce_sum(shares**2, axis=1)


def _ancestors(log_weights: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """The particles (fragments, particles) that are at places, from 0 to below 1, of the weights in
    a row.
    """
    shares = _shares(log_weights)
    # A running sum as a product: XLA's own is slow on a processor.
    summed = shares @ tf.linalg.band_part(tf.ones((shares.shape[1],) * 2), 0, -1)
    before = summed[:, None, :] <= (places * summed[:, -1:])[:, :, None]
    return tf.reduce_sum(tf.cast(before, tf.int32), axis=2)


def _resampled(
    playing: Playing, totals: Totals, ancestors: tf.Tensor, few: tf.Tensor
) -> tuple[Playing, Totals]:
    """The state of the particles that go on; in fragments where these are `few`, they weigh the
    same now.
    """
    weights, probabilities, evidence = totals
    fragments, particles = ancestors.shape
    places = tf.reshape(ancestors + tf.range(fragments)[:, None] * particles, [-1])
    playing = tf.nest.map_structure(lambda tensor: tf.gather(tensor, places), playing)
    mean = tf.reduce_logsumexp(weights, axis=1) - np.log(particles).astype(np.float32)
    totals = Totals(
        tf.where(few[:, None], 0.0, weights),
        tf.gather(probabilities, ancestors, axis=1, batch_dims=1),
        evidence + tf.where(few, mean, 0.0),
    )
    return playing, totals


def _traced(notes: np.ndarray, ancestors: np.ndarray) -> np.ndarray:
    """The tokens (fragments, particles, rows, 4) of the particles at the end, from the notes (rows,
    fragments, particles, 4) and where those of the next row come from (rows, fragments, particles).
    """
    lines = np.empty_like(notes)
    place = np.broadcast_to(np.arange(notes.shape[2]), notes.shape[1:3])
    for row in range(len(notes) - 1, -1, -1):
        place = np.take_along_axis(ancestors[row], place, axis=1)
        lines[row] = np.take_along_axis(notes[row], place[:, :, None], axis=1)
    return np.moveaxis(lines, 0, 2)


def _check(notes: np.ndarray, totals: Totals, fragments: Sequence[Fragment], first: int) -> None:
    """Raise KantorError if no particle can go on, among those of rows from `first` on."""
    if notes.min() == NONE:
        raise KantorError(
            "the model predicts probabilities that are no numbers; train it again with a lower "
            "train.learning_rate"
        )
    possible = np.isfinite(totals.weights.numpy().max(axis=1)) & np.isfinite(totals.evidence)
    for number in np.flatnonzero(~possible):
        rows = min(first + ROWS_AT_ONCE, len(fragments[number].grid))
        raise KantorError(
            f"rows {first} to {rows - 1}: the model finds what is there impossible after all that "
            "came before; expected notes that can follow; change some, or take more particles"
        )
