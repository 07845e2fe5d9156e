"""A network place by place: its state is carried along, and nothing is computed twice.

A network that is trained on whole sequences, (batch, places, ...), is run on one place at a
time, (batch, 1, ...). Its own layers are called one after the other as they are connected;
those that look back are replaced by what a step of them does, with the trained weights:

- LSTM and GRU: their cell, with the states of the place before;
- causal convolutions, and zeros put in front of a pooling: with the last places in a tail.

All others look at nothing but their own place. A layer that is not listed here is refused
rather than stepped wrongly.
"""

from collections.abc import Callable

from kantor.network.normalisation import normalised
from kantor.system.errors import KantorError
from kantor.system.runtime import keras, tf

layers = keras.layers

State = dict[str, list[tf.Tensor]]

AT_ITS_PLACE = (
    layers.Activation,
    layers.Add,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Dense,
    layers.Dropout,
    layers.InputLayer,
)
# Those of keras.ops that networks of rows use, all along other axes than time.
OPERATIONS = (
    "Absolute",
    "Add",
    "Cast",
    "Clip",
    "Equal",
    "ExpandDims",
    "GetItem",
    "Greater",
    "Less",
    "LessEqual",
    "LogicalAnd",
    "Maximum",
    "Mod",
    "Multiply",
    "NotEqual",
    "OneHot",
    "Stack",
    "Subtract",
    "Take",
    "TakeAlongAxis",
    "Where",
    "ZerosLike",
)


def start(network: keras.Model, batch: int) -> State:
    """The state of a network before the first place: for each layer that looks back, by its
    name, tensors (batch, ...). KantorError names a layer that can't be stepped.
    """
    state = {}
    for layer in network.operations:
        _check(layer)
        if isinstance(layer, layers.LSTM | layers.GRU):
            sizes = layer.cell.state_size
            sizes = sizes if isinstance(sizes, list) else [sizes]
            state[layer.name] = [tf.zeros((batch, size)) for size in sizes]
        elif isinstance(layer, layers.Conv1D | layers.ZeroPadding1D):
            width = layer.input.shape[-1]
            state[layer.name] = [tf.zeros((batch, _places_before(layer), width))]
    return state


class Step:
    """One step of a network, and of other networks that share its layers.

    `after` is the state after it. What several of the networks would compute from the same
    tensors is computed once.
    """

    def __init__(self, state: State) -> None:
        self._before, self.after = state, dict(state)
        self._results: dict[tuple[int, ...], tuple[list, tf.Tensor]] = {}

    def __call__(self, network: keras.Model, inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        """The output (batch, 1, ...) for the next place of the inputs (batch, 1, ...)."""
        # Private, but Keras has no other way to put something else in a layer's place.
        return network._run_through_graph(inputs, operation_fn=self._stepped)

    def _stepped(self, layer: keras.Operation) -> Callable[..., tf.Tensor]:
        def once(*args: object, **options: object) -> tf.Tensor:
            inputs = [layer, *tf.nest.flatten((args, options))]
            key = tuple(map(id, inputs))
            if key not in self._results:
                # Inputs that are kept here can't lend their identity to other objects.
                self._results[key] = inputs, self._computed(layer, *args, **options)
            return self._results[key][1]

        return once

    def _computed(self, layer: keras.Operation, *args: object, **options: object) -> tf.Tensor:
        if isinstance(layer, layers.LSTM | layers.GRU):
            return self._recurrent(layer, *args)
        if isinstance(layer, layers.Conv1D):
            return self._convolution(layer, *args)
        if isinstance(layer, layers.ZeroPadding1D):
            return self._with_tail(layer, *args)
        if isinstance(layer, layers.BatchNormalization):
            return normalised(layer, *args, layer.moving_mean, layer.moving_variance)
        return layer(*args, **options)

    def _recurrent(self, layer: layers.RNN, x: tf.Tensor) -> tf.Tensor:
        output, after = layer.cell(x[:, 0], self._before[layer.name])
        self.after[layer.name] = after if isinstance(after, list) else [after]
        return output[:, None]

    def _convolution(self, layer: layers.Conv1D, x: tf.Tensor) -> tf.Tensor:
        window = self._with_tail(layer, x)[:, :: layer.dilation_rate[0]]
        kernel = tf.convert_to_tensor(layer.kernel)
        summed = tf.reshape(window, (window.shape[0], -1)) @ tf.reshape(kernel, (-1, layer.filters))
        return layer.activation(summed + layer.bias)[:, None]

    def _with_tail(self, layer: keras.Layer, x: tf.Tensor) -> tf.Tensor:
        window = tf.concat([*self._before[layer.name], x], axis=1)
        self.after[layer.name] = [window[:, 1:]]
        return window


def _places_before(layer: layers.Conv1D | layers.ZeroPadding1D) -> int:
    """How many places before its own a layer looks at."""
    if isinstance(layer, layers.ZeroPadding1D):
        return layer.padding[0]
    return (layer.kernel_size[0] - 1) * layer.dilation_rate[0]


def _check(layer: keras.Operation) -> None:
    """Raise KantorError unless the layer can be stepped."""
    if isinstance(layer, layers.Conv1D):
        steps = layer.padding == "causal" and layer.strides == (1,) and layer.use_bias
    elif isinstance(layer, layers.ZeroPadding1D):
        steps = layer.padding[1] == 0
    elif isinstance(layer, layers.MaxPooling1D):
        # It gets as many places as it pools, from the zeros in front of it.
        steps = layer.padding == "valid" and layer.strides == (1,)
    elif isinstance(layer, layers.LSTM | layers.GRU):
        steps = not (layer.go_backwards or layer.stateful) and layer.return_sequences
    elif isinstance(layer, layers.Embedding):
        steps = not layer.mask_zero
    else:
        steps = isinstance(layer, AT_ITS_PLACE) or type(layer).__name__ in OPERATIONS
    if not steps:
        raise KantorError(
            f"{layer.name}: this {type(layer).__name__} can't go on place by place, so the model "
            "can't compose; expected layers that kantor/sampling/stepping.py lists"
        )
