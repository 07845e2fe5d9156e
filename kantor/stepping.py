"""A network place by place: what it remembers is carried along, nothing is computed twice.

A network that is trained on whole sequences, (batch, places, ...), is run on one place at a
time, (batch, 1, ...). Its own layers are called one after the other as they are connected;
those that look back are replaced by what a step of them does, with the trained weights:

- LSTM and GRU: their cell, with the states of the place before;
- causal convolutions, and zeros put in front of a pooling: with the last places in a tail.

All others look at nothing but their own place. What is not known to do so is refused rather
than stepped wrongly.
"""

from collections.abc import Callable

from kantor.errors import KantorError
from kantor.runtime import keras, tf

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
# Those of keras.ops that the networks of kantor.row_gru use, all along other axes than time.
OPERATIONS = ("Add", "Cast", "Equal", "GetItem", "Multiply", "OneHot", "Stack")


def start(network: keras.Model, batch: int) -> State:
    """What a network remembers before the first place: for each layer that looks back, by its
    name, tensors (batch, ...). KantorError names a layer of which no step is known.
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

    `after` is what is remembered after it. What several of the networks would compute from
    the same tensors is computed once.
    """

    def __init__(self, state: State) -> None:
        self._before, self.after = state, dict(state)
        self._known: dict[tuple[int, ...], tuple[list, tf.Tensor]] = {}

    def __call__(self, network: keras.Model, inputs: tf.Tensor | list[tf.Tensor]) -> tf.Tensor:
        """The output (batch, 1, ...) for the next place of the inputs (batch, 1, ...)."""
        # Private, but Keras has no other way to put something else in a layer's place.
        return network._run_through_graph(inputs, operation_fn=self._stepped)

    def _stepped(self, layer: keras.Operation) -> Callable[..., tf.Tensor]:
        def once(*args: object, **options: object) -> tf.Tensor:
            given = [layer, *tf.nest.flatten((args, options))]
            key = tuple(map(id, given))
            if key not in self._known:
                # Whatever is kept here can't lend its identity to anything else.
                self._known[key] = given, self._computed(layer, *args, **options)
            return self._known[key][1]

        return once

    def _computed(self, layer: keras.Operation, *args: object, **options: object) -> tf.Tensor:
        if isinstance(layer, layers.LSTM | layers.GRU):
            return self._recurrent(layer, *args)
        if isinstance(layer, layers.Conv1D):
            return self._convolution(layer, *args)
        if isinstance(layer, layers.ZeroPadding1D):
            return self._with_tail(layer, *args)
        return layer(*args, **options)

    def _recurrent(self, layer: layers.RNN, x: tf.Tensor) -> tf.Tensor:
        output, after = layer.cell(x[:, 0], self._before[layer.name])
        self.after[layer.name] = after if isinstance(after, list) else [after]
        return output[:, None]

    def _convolution(self, layer: layers.Conv1D, x: tf.Tensor) -> tf.Tensor:
        seen = self._with_tail(layer, x)[:, :: layer.dilation_rate[0]]
        kernel = tf.convert_to_tensor(layer.kernel)
        summed = tf.reshape(seen, (seen.shape[0], -1)) @ tf.reshape(kernel, (-1, layer.filters))
        return layer.activation(summed + layer.bias)[:, None]

    def _with_tail(self, layer: keras.Layer, x: tf.Tensor) -> tf.Tensor:
        seen = tf.concat([*self._before[layer.name], x], axis=1)
        self.after[layer.name] = [seen[:, 1:]]
        return seen


def _places_before(layer: layers.Conv1D | layers.ZeroPadding1D) -> int:
    """How many places before its own a layer looks at."""
    if isinstance(layer, layers.ZeroPadding1D):
        return layer.padding[0]
    return (layer.kernel_size[0] - 1) * layer.dilation_rate[0]


def _check(layer: keras.Operation) -> None:
    """Raise KantorError unless a step of the layer is known."""
    if isinstance(layer, layers.Conv1D):
        known = layer.padding == "causal" and layer.strides == (1,) and layer.use_bias
    elif isinstance(layer, layers.ZeroPadding1D):
        known = layer.padding[1] == 0
    elif isinstance(layer, layers.MaxPooling1D):
        # It gets as many places as it pools, from the zeros in front of it.
        known = layer.padding == "valid" and layer.strides == (1,)
    elif isinstance(layer, layers.LSTM | layers.GRU):
        known = not (layer.go_backwards or layer.stateful) and layer.return_sequences
    elif isinstance(layer, layers.Embedding):
        known = not layer.mask_zero
    else:
        known = isinstance(layer, AT_ITS_PLACE) or type(layer).__name__ in OPERATIONS
    if not known:
        raise KantorError(
            f"{layer.name}: it is not known how this {type(layer).__name__} goes on by one place, "
            "so the model can't be used to compose; see kantor/stepping.py"
        )
