"""The notebook's network and training, in plain Keras, for a benchmark to measure.

Run by `benchmarks.beside` as a process of its own, so that nothing which kantor pins
holds here: `python benchmarks/notebook.py windows.npy` trains an epoch for each line "epoch"
that it reads, and answers with its seconds; any other line is a path to save the network to.
"""

import sys
import time

import keras
import numpy as np
import tensorflow as tf

layers = keras.layers


def main() -> None:
    windows = np.load(sys.argv[1])
    options = tf.data.Options()
    # Or an epoch may last twice as long, by chance; kantor.training does so too.
    options.autotune.enabled = False
    batches = (
        tf.data.Dataset.from_tensor_slices(windows)
        .shuffle(1000)
        .batch(32)
        .map(lambda tokens: (tokens[:, :-1], tokens[:, 1:]))
        .prefetch(1)
        .with_options(options)
    )
    network = keras.Sequential([layers.Input((None,)), layers.Embedding(47, 5)])
    for filters, dilation in ((32, 1), (48, 2), (64, 4), (96, 8)):
        network.add(
            layers.Conv1D(filters, 2, padding="causal", activation="relu", dilation_rate=dilation)
        )
        network.add(layers.BatchNormalization())
    network.add(layers.LSTM(256, return_sequences=True))
    network.add(layers.Dense(47, activation="softmax"))
    network.compile(
        keras.optimizers.Nadam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    for line in sys.stdin:
        started = time.perf_counter()
        if line.strip() == "epoch":
            network.fit(batches, verbose=0)
        else:
            network.save(line.strip())
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
