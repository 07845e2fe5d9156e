"""The loop of training: examples and settings to a trained network, epoch by epoch.

What happens in an epoch depends on the settings, the seed, the epoch's number, the state of
the model and its optimiser, and the history so far; on nothing else. So the state after each
finished epoch is all that a killed training needs to end as an undisturbed one would.
"""

import math

import numpy as np

from kantor.chorale import VOCABULARY_SIZE
from kantor.network import recurrence
from kantor.network.architecture import RULE
from kantor.params import Train
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from kantor.system.runtime import keras, replicated, tf
from kantor.training.checkpoint import Checkpoint, State
from kantor.training.examples import Crops, Examples, Windows
from kantor.training.schedule import History, finished, kept, learning_rate

VALIDATION_BATCH = 64


def train(
    model: keras.Model,
    examples: Windows | Crops,
    valid: Windows,
    settings: Train,
    seed: tuple[int, ...],
    checkpoint: Checkpoint,
    what: str = "train",
) -> History:
    """Train `model`, a member of a network, in place; `what` is for the progress.

    `seed` is a sequence of numbers, each 0 or more; the draws of an epoch follow from it and the
    number of the epoch. KantorError tells of a training that runs away.

    Returns the history, a row an epoch: its number from 1, mean loss (nats a note, without
    penalties) and accuracy in training and on the validation split, and the learning rate
    at its end. Training figures are taken while the weights change, with dropout. A network of
    rows is scored on the first note of each window too, as kantor.evaluation does not: its
    valid_loss is higher than there.
    """
    steps = math.ceil(examples.count / settings.batch_size)
    weights = None
    if settings.class_weights != "none":
        weights = class_weights(examples.epoch(_draw(seed, 0))[1])

    copy = compiled(model, settings)
    state = checkpoint.load() or State([], [], [])
    if state.history:
        for variable, value in zip(_variables(copy), state.variables, strict=True):
            variable.assign(value)

    with Progress(what, settings.epochs * steps, "batches", len(state.history) * steps) as bar:
        while not finished(state.history, settings):
            epoch = len(state.history)
            step = Step(settings, epoch, steps, state.history, bar)
            figures = fit(copy, examples.epoch(_draw(seed, epoch)), step, weights, valid)
            row = {
                "epoch": epoch + 1,
                "loss": figures["cross_entropy"][0],
                "accuracy": figures["accuracy"][0],
                "valid_loss": figures["val_cross_entropy"][0],
                "valid_accuracy": figures["val_accuracy"][0],
                "learning_rate": float(copy.optimizer.learning_rate.numpy()),
            }
            if not np.isfinite(list(row.values())).all():
                raise KantorError(
                    f"epoch {epoch + 1} ends with loss {row['loss']}, valid_loss "
                    f"{row['valid_loss']}: the training ran away; lower train.learning_rate "
                    "in params.yaml, or set train.clip_norm"
                )
            state.history.append(row)
            if kept(state.history, settings) == epoch:
                state.kept = copy.get_weights()
            state.variables = [variable.numpy() for variable in _variables(copy)]
            checkpoint.save(state)
    model.set_weights(state.kept)
    return state.history


def compiled(model: keras.Model, settings: Train) -> keras.Model:
    """A copy of `model` that is quick to train, ready for `fit`, with `settings.replicas`."""
    with replicated(settings.replicas).scope():
        copy = recurrence.fast(model)
        copy.compile(
            optimizer=_optimizer(settings),
            loss="sparse_categorical_crossentropy",
            metrics=[
                keras.metrics.SparseCategoricalCrossentropy(name="cross_entropy"),
                keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
            ],
            # Keras compiles for the processor, and all that it compiles gives the same bits
            # each time; enable_op_determinism() would only switch the compiling off.
            # Replicas wait for each other, which can't be compiled.
            jit_compile=settings.replicas == 1,
        )
        if settings.weight_decay:
            rules = [layer for layer in copy.layers if layer.name.endswith(RULE)]
            copy.optimizer.exclude_from_weight_decay(
                [variable for layer in rules for variable in layer.trainable_variables]
            )
        copy.optimizer.build(copy.trainable_variables)
    return copy


def fit(
    copy: keras.Model,
    examples: Examples,
    step: "Step",
    weights: np.ndarray | None = None,
    valid: Windows | None = None,
) -> dict[str, list[float]]:
    """Train a compiled network on the examples of one epoch; Keras's figures for it.

    `weights` say how much a note counts in the loss, float (47,), by its token.
    """
    weighted = examples if weights is None else (*examples, weights[examples[1]])
    return copy.fit(
        batches(weighted, step.settings.batch_size),
        validation_data=batches(valid.all(), VALIDATION_BATCH) if valid else None,
        shuffle=False,
        verbose=0,
        callbacks=[step],
    ).history


def batches(examples: Examples, size: int) -> tf.data.Dataset:
    """Examples, with or without weights, in their order, in batches of `size`."""
    options = tf.data.Options()
    # Its thread may sleep on when an epoch has ended, for as long again as that took.
    options.autotune.enabled = False
    data = tf.data.Dataset.from_tensor_slices(examples).batch(size).prefetch(1)
    return data.with_options(options)


def class_weights(targets: np.ndarray) -> np.ndarray:
    """How much a note counts in a balanced loss, float32 (47,), by its token.

    It is the inverse of the token's share in the targets, so that all tokens that occur count
    the same; the mean over all notes is 1.
    """
    counts = np.bincount(targets.ravel(), minlength=VOCABULARY_SIZE)
    occurring = np.count_nonzero(counts)
    return np.divide(
        counts.sum() / occurring, counts, out=np.zeros(VOCABULARY_SIZE), where=counts > 0
    ).astype(np.float32)


class Step(keras.callbacks.Callback):
    """Sets the learning rate before each batch, and shows progress after it."""

    def __init__(
        self, settings: Train, epoch: float, steps: int, history: History, bar: Progress
    ) -> None:
        super().__init__()
        self.settings, self._epoch, self._steps = settings, epoch, steps
        self._history, self._bar = history, bar
        self._best = f", best {min(row['valid_loss'] for row in history):.4f}" if history else ""

    def on_train_batch_begin(self, batch, logs=None):
        at = self._epoch + (batch + 0.5) / self._steps
        rate = learning_rate(self.settings, at, self._history)
        self.model.optimizer.learning_rate.assign(rate)

    def on_train_batch_end(self, batch, logs=None):
        note = f"epoch {int(self._epoch) + 1}, loss {logs['cross_entropy']:.4f}{self._best}"
        self._bar.advance(note)


def _optimizer(settings: Train) -> keras.optimizers.Optimizer:
    config = {
        "learning_rate": settings.learning_rate,
        "global_clipnorm": settings.clip_norm or None,
        "weight_decay": settings.weight_decay,
    }
    if settings.optimizer != "sgd":
        config["rho" if settings.optimizer == "rmsprop" else "beta_2"] = settings.beta_2
    return keras.optimizers.get({"class_name": settings.optimizer, "config": config})


def _variables(model: keras.Model) -> list[keras.Variable]:
    """All that an epoch changes: weights, the states of dropout's generators, the optimiser's."""
    return [*model.variables, *model.optimizer.variables]


def _draw(seed: tuple[int, ...], epoch: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((*seed, epoch)))
