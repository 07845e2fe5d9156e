"""LSTM and GRU that compute the same numbers as Keras's layers, faster; and a faster dropout.

Keras lets TensorFlow differentiate the loop over time, so every step multiplies and adds
up a gradient as large as the kernels. Here the gradient is our own: the loop carries only what
depends on the step before it; everything else is one large product before or after it. See
Appleyard et al., "Optimizing Performance of Recurrent Neural Networks on GPUs" (arXiv
1604.01946).

Inside, time comes first and the batch last: so the products of the loop run along
contiguous memory, at nearly twice the speed.
"""

from collections.abc import Callable

from kantor.network import normalisation
from kantor.system.runtime import keras, tf

Gradient = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]


def fast(model: keras.Model) -> keras.Model:
    """A copy of `model`, its weights included, whose LSTM, GRU and dropout are those below, and
    whose batch normalisation gives the same bits on every processor.
    """
    faster = {
        keras.layers.LSTM: FastLSTM,
        keras.layers.GRU: FastGRU,
        keras.layers.Dropout: FastDropout,
    }
    return normalisation.replaced(model, normalisation.EXACT | faster)


class FastLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` returning sequences, from a zero state, without masks."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        return _call(self, lstm, sequences, initial_state, mask)


class FastGRU(keras.layers.GRU):
    """`keras.layers.GRU`, reset after, returning sequences, from a zero state, without masks."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if not self.reset_after:
            raise NotImplementedError("FastGRU resets after the product, as cuDNN does")
        return _call(self, gru, sequences, initial_state, mask)


class FastDropout(keras.layers.Dropout):
    """`keras.layers.Dropout`, but what is dropped comes from a short hash of each number's place
    and the seed, and not from Philox, which takes a seventh of a training.
    """

    def call(self, inputs, training=False):
        if self.noise_shape is not None:
            raise NotImplementedError("it drops each number by itself")
        if not (training and self.rate):
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.uint32)
        places = tf.cast(tf.range(tf.size(inputs)), tf.uint32)
        draws = tf.reshape(scrambled(scrambled(places + seed[0]) + seed[1]), tf.shape(inputs))
        dropped = draws < tf.constant(round(self.rate * 2**32), tf.uint32)
        return tf.where(dropped, tf.zeros_like(inputs), inputs / (1 - self.rate))


def scrambled(numbers: tf.Tensor) -> tf.Tensor:
    """Numbers, uint32, each as one of 2**32 in an order that looks random: "lowbias32" (Wellons,
    "Prospecting for Hash Functions", 2018).
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        numbers = tf.bitwise.bitwise_xor(numbers, tf.bitwise.right_shift(numbers, shift))
        numbers *= tf.constant(factor, tf.uint32)
    return tf.bitwise.bitwise_xor(numbers, tf.bitwise.right_shift(numbers, 16))


@tf.custom_gradient
def lstm(
    inputs: tf.Tensor, kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, Gradient]:
    """Hidden states (batch, time, units) for inputs (batch, time, features).

    `kernel` (features, 4 * units), `recurrent` (units, 4 * units) and `bias` (4 * units,)
    hold the input, forget, candidate and output gates side by side, as Keras has them.
    """
    steps, nothing = tf.shape(inputs)[1], _nothing(inputs, recurrent)
    projected = tf.transpose(tf.tensordot(inputs, kernel, 1) + bias, (1, 2, 0))
    across = tf.transpose(recurrent)

    def forward(step, hidden, cell, gates_at, cells_at, hiddens_at):
        gates = projected[step] + across @ hidden
        let_in, keep, candidate, let_out = tf.split(gates, 4)
        let_in, keep, let_out = tf.sigmoid(let_in), tf.sigmoid(keep), tf.sigmoid(let_out)
        candidate = tf.tanh(candidate)
        cell = keep * cell + let_in * candidate
        hidden = let_out * tf.tanh(cell)
        gates = tf.concat([let_in, keep, candidate, let_out], 0)
        return (
            step + 1,
            hidden,
            cell,
            gates_at.write(step, gates),
            cells_at.write(step, cell),
            hiddens_at.write(step, hidden),
        )

    *_, gates, cells, hiddens = tf.while_loop(
        lambda step, *_: step < steps,
        forward,
        (0, nothing, nothing, *_series(steps, 3)),
        maximum_iterations=steps,
    )
    gates, cells, hiddens = gates.stack(), cells.stack(), hiddens.stack()

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        upstream = tf.transpose(upstream, (1, 2, 0))
        cells_before, hiddens_before = _before(cells), _before(hiddens)

        def backward(left, d_hidden, d_cell, d_gates_at):
            step = left - 1
            let_in, keep, candidate, let_out = tf.split(gates[step], 4)
            squashed = tf.tanh(cells[step])
            d_hidden += upstream[step]
            d_cell += d_hidden * let_out * (1 - squashed * squashed)
            d_gates = tf.concat(
                [
                    d_cell * candidate * let_in * (1 - let_in),
                    d_cell * cells_before[step] * keep * (1 - keep),
                    d_cell * let_in * (1 - candidate * candidate),
                    d_hidden * squashed * let_out * (1 - let_out),
                ],
                0,
            )
            return step, recurrent @ d_gates, d_cell * keep, d_gates_at.write(step, d_gates)

        *_, d_gates = tf.while_loop(
            lambda left, *_: left > 0,
            backward,
            (steps, nothing, nothing, *_series(steps, 1)),
            maximum_iterations=steps,
        )
        d_gates = _batch_first(d_gates.stack())
        return (
            tf.tensordot(d_gates, tf.transpose(kernel), 1),
            _product(inputs, d_gates),
            _product(_batch_first(hiddens_before), d_gates),
            tf.reduce_sum(d_gates, (0, 1)),
        )

    return _batch_first(hiddens), gradient


@tf.custom_gradient
def gru(
    inputs: tf.Tensor, kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, Gradient]:
    """Hidden states (batch, time, units) for inputs (batch, time, features).

    `kernel` (features, 3 * units), `recurrent` (units, 3 * units) and `bias` (2, 3 * units)
    hold the update gate, the reset gate and the candidate side by side, as Keras has them.
    """
    steps, nothing = tf.shape(inputs)[1], _nothing(inputs, recurrent)
    projected = tf.transpose(tf.tensordot(inputs, kernel, 1) + bias[0], (1, 2, 0))
    across, bias_across = tf.transpose(recurrent), bias[1][:, None]

    def forward(step, hidden, gates_at, inners_at, hiddens_at):
        update, reset, candidate = tf.split(projected[step], 3)
        from_update, from_reset, inner = tf.split(across @ hidden + bias_across, 3)
        update, reset = tf.sigmoid(update + from_update), tf.sigmoid(reset + from_reset)
        candidate = tf.tanh(candidate + reset * inner)
        hidden = update * hidden + (1 - update) * candidate
        gates = tf.concat([update, reset, candidate], 0)
        return (
            step + 1,
            hidden,
            gates_at.write(step, gates),
            inners_at.write(step, inner),
            hiddens_at.write(step, hidden),
        )

    *_, gates, inners, hiddens = tf.while_loop(
        lambda step, *_: step < steps,
        forward,
        (0, nothing, *_series(steps, 3)),
        maximum_iterations=steps,
    )
    gates, inners, hiddens = gates.stack(), inners.stack(), hiddens.stack()

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        upstream = tf.transpose(upstream, (1, 2, 0))
        hiddens_before = _before(hiddens)

        def backward(left, d_hidden, d_gates_at, d_inners_at):
            step = left - 1
            update, reset, candidate = tf.split(gates[step], 3)
            d_hidden += upstream[step]
            d_candidate = d_hidden * (1 - update) * (1 - candidate * candidate)
            d_update = d_hidden * (hiddens_before[step] - candidate) * update * (1 - update)
            d_reset = d_candidate * inners[step] * reset * (1 - reset)
            d_inner = d_candidate * reset
            d_recurrent = tf.concat([d_update, d_reset, d_inner], 0)
            return (
                step,
                d_hidden * update + recurrent @ d_recurrent,
                d_gates_at.write(step, tf.concat([d_update, d_reset, d_candidate], 0)),
                d_inners_at.write(step, d_inner),
            )

        *_, d_gates, d_inners = tf.while_loop(
            lambda left, *_: left > 0,
            backward,
            (steps, nothing, *_series(steps, 2)),
            maximum_iterations=steps,
        )
        d_gates, d_inners = _batch_first(d_gates.stack()), _batch_first(d_inners.stack())
        d_recurrent = tf.concat([d_gates[..., : 2 * recurrent.shape[0]], d_inners], -1)
        return (
            tf.tensordot(d_gates, tf.transpose(kernel), 1),
            _product(inputs, d_gates),
            _product(_batch_first(hiddens_before), d_recurrent),
            tf.stack([tf.reduce_sum(d_gates, (0, 1)), tf.reduce_sum(d_recurrent, (0, 1))]),
        )

    return _batch_first(hiddens), gradient


def _call(layer: keras.Layer, compute: Callable, sequences, initial_state, mask) -> tf.Tensor:
    if initial_state is not None or mask is not None or not layer.return_sequences:
        raise NotImplementedError("it starts at zero, unmasked, and returns sequences")
    cell = layer.cell
    weights = (cell.kernel, cell.recurrent_kernel, cell.bias)
    return compute(sequences, *map(tf.convert_to_tensor, weights))


def _nothing(inputs: tf.Tensor, recurrent: tf.Tensor) -> tf.Tensor:
    return tf.zeros((recurrent.shape[0], tf.shape(inputs)[0]))


def _series(steps: tf.Tensor, count: int) -> list[tf.TensorArray]:
    return [tf.TensorArray(tf.float32, steps) for _ in range(count)]


def _before(states: tf.Tensor) -> tf.Tensor:
    return tf.concat([tf.zeros_like(states[:1]), states[:-1]], 0)


def _batch_first(series: tf.Tensor) -> tf.Tensor:
    return tf.transpose(series, (2, 0, 1))


def _product(series: tf.Tensor, gradients: tf.Tensor) -> tf.Tensor:
    """Sum over batch and time of the outer products of (batch, time, ...) tensors."""
    return tf.tensordot(series, gradients, ((0, 1), (0, 1)))
