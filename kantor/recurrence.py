"""The LSTM with a gradient of its own: the same numbers as Keras's layer, sooner.

Keras lets TensorFlow differentiate the loop over time, so every step multiplies and adds
up a gradient as large as the kernels. Here the loop carries only what depends on the step
before it; everything else is one large product before or after it. See Appleyard et al.,
"Optimizing Performance of Recurrent Neural Networks on GPUs" (arXiv 1604.01946).
"""

from collections.abc import Callable

from kantor.runtime import keras, tf

Gradient = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]


def swift(model: keras.Model) -> keras.Model:
    """A copy of `model`, its weights included, whose LSTM layers are `SwiftLSTM`."""

    def copy(layer: keras.Layer) -> keras.Layer:
        kind = SwiftLSTM if type(layer) is keras.layers.LSTM else type(layer)
        return kind.from_config(layer.get_config())

    twin = keras.models.clone_model(model, clone_function=copy)
    twin.set_weights(model.get_weights())
    return twin


class SwiftLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` returning sequences, from a zero state, without masks."""

    def call(self, sequences, initial_state=None, mask=None, training=False):
        if initial_state is not None or mask is not None or not self.return_sequences:
            raise NotImplementedError("SwiftLSTM starts at zero, unmasked, and returns sequences")
        cell = self.cell
        return lstm(
            sequences, *map(tf.convert_to_tensor, (cell.kernel, cell.recurrent_kernel, cell.bias))
        )


@tf.custom_gradient
def lstm(
    inputs: tf.Tensor, kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, Gradient]:
    """Hidden states (batch, time, units) for inputs (batch, time, features).

    `kernel` (features, 4 * units), `recurrent` (units, 4 * units) and `bias` (4 * units,)
    hold the input, forget, candidate and output gates side by side, as Keras has them.
    """
    # Inside, time comes first and the batch last: so the products of the loop run along
    # contiguous memory, at nearly twice the speed.
    units = recurrent.shape[0]
    steps, batch = tf.shape(inputs)[1], tf.shape(inputs)[0]
    nothing = tf.zeros((units, batch))
    by_time = tf.transpose(inputs, (1, 2, 0))
    projected = tf.transpose(tf.tensordot(inputs, kernel, 1) + bias, (1, 2, 0))
    recurrent_across = tf.transpose(recurrent)

    def forward(step, hidden, cell, gates_at, cells_at, hiddens_at):
        gates = projected[step] + recurrent_across @ hidden
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
        (0, nothing, nothing, _series(steps), _series(steps), _series(steps)),
        maximum_iterations=steps,
    )
    gates, cells, hiddens = gates.stack(), cells.stack(), hiddens.stack()

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        upstream = tf.transpose(upstream, (1, 2, 0))
        cells_before = tf.concat([nothing[None], cells[:-1]], 0)
        hiddens_before = tf.concat([nothing[None], hiddens[:-1]], 0)

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
            (steps, nothing, nothing, _series(steps)),
            maximum_iterations=steps,
        )
        d_gates = tf.transpose(d_gates.stack(), (0, 2, 1))
        flat = tf.reshape(d_gates, (-1, 4 * units))

        def product(series: tf.Tensor) -> tf.Tensor:
            rows = tf.reshape(tf.transpose(series, (0, 2, 1)), (-1, series.shape[1]))
            return tf.matmul(rows, flat, transpose_a=True)

        d_inputs = tf.tensordot(d_gates, tf.transpose(kernel), 1)
        return (
            tf.transpose(d_inputs, (1, 0, 2)),
            product(by_time),
            product(hiddens_before),
            tf.reduce_sum(flat, 0),
        )

    return tf.transpose(hiddens, (2, 0, 1)), gradient


def _series(steps: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, steps)
