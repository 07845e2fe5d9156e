"""What a machine can multiply, and what networks multiply."""

import time

import numpy as np

from kantor.chorale import VOICES
from kantor.network import model
from kantor.system.runtime import keras, tf

ROUNDS = 20


def measured() -> float:
    """Operations a second in the product of two large matrices, the best of many rounds."""
    matrix = tf.random.normal((1024, 1024))
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        (matrix @ matrix).numpy()
        seconds.append(time.perf_counter() - started)
    return 2 * len(matrix) ** 3 / min(seconds)


def products(network: keras.Model) -> float:
    """Operations a note in products with weights: two for each weight.

    Embeddings are looked up, not multiplied; a network of rows takes a step in four notes.
    """
    parts = model.parts(network)
    weights = [w for member in parts.members for w in member.weights if "kernel" in w.path]
    operations = 2 * float(sum(np.prod(w.shape) for w in weights))
    return operations / len(VOICES) if parts.steps == "rows" else operations
