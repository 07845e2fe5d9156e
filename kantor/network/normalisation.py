"""Batch normalisation that divides by a square root.

Keras's multiplies by `rsqrt`, which starts from what the processor guesses, and makers' guesses
differ. XLA makes an `rsqrt` of `x / sqrt(y)` too, also in gradients. So that is written in another
way here.
"""

from collections.abc import Callable, Mapping

from kantor.system.runtime import keras, tf


def exact(model: keras.Model) -> keras.Model:
    """`model` itself if it has no batch normalisation; else a copy of it, with the same weights,
    whose layers of that kind are those below.
    """
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in _layers(model)):
        return model

    return replaced(model, EXACT)


def replaced(
    model: keras.Model, kinds: Mapping[type[keras.Layer], type[keras.Layer]]
) -> keras.Model:
    """A copy of `model`, its weights included, with layers of other kinds for those of `kinds`,
    also in the models within it.
    """

    def copy(layer: keras.Layer) -> keras.Layer:
        return kinds.get(type(layer), type(layer)).from_config(layer.get_config())

    copied = keras.models.clone_model(model, clone_function=copy, recursive=True)
    copied.set_weights(model.get_weights())
    return copied


class ExactBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` along the last axis, without masks."""

    def call(self, inputs, training=None, mask=None):
        if mask is not None or self.renorm:
            raise NotImplementedError("it normalises unmasked, and not in renorm's way")
        if not (training and self.trainable):
            return normalised(self, inputs, self.moving_mean, self.moving_variance)
        mean, variance = self._moments(inputs, mask)
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return normalised(self, inputs, mean, variance)


# Which layers make a model exact, by the kind that they stand for.
EXACT = {keras.layers.BatchNormalization: ExactBatchNormalization}


def normalised(
    layer: keras.layers.BatchNormalization, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
) -> tf.Tensor:
    """What the layer makes of x (..., features) with this mean and variance (features,)."""
    scale = inverse_root(tf.convert_to_tensor(variance) + layer.epsilon)
    if layer.scale:
        scale *= layer.gamma
    x = (x - mean) * scale
    return x + layer.beta if layer.center else x


@tf.custom_gradient
def inverse_root(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """1 / sqrt(x), without `rsqrt`, and its gradient."""
    result = tf.sqrt(x) / x
    return result, lambda upstream: -0.5 * upstream * result / x


def _layers(model: keras.Model) -> list[keras.Layer]:
    """The layers of a model, and those of the models in it."""
    return [layer for layer in model._flatten_layers() if layer is not model]
