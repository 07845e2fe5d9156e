"""TensorFlow and Keras as every run of this project finds them.

Take `tf` and `keras` from here. Keras's settings file and the number of cores could change the
bits of the results, so they are pinned, as kantor.system.processor pins what depends on the
processor. `pin` sets threads and graphics cards.

Both are loaded when they are first asked for, since that takes seconds: a module that uses
`runtime.keras` inside its functions alone can be imported at once.
"""

import importlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kantor.system import caches, processor
from kantor.system.errors import KantorError, stop_if_interrupted

if TYPE_CHECKING:
    # Read by kantor.system.dependencies too, which can't see what is loaded below.
    import keras as keras
    import tensorflow as tf


def __getattr__(name: str) -> object:
    if name not in ("keras", "tf"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    processor.check()
    with _without_native_log():
        keras, tf = importlib.import_module("keras"), importlib.import_module("tensorflow")
    stop_if_interrupted()
    caches.pin()
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    globals().update(keras=keras, tf=tf)
    return globals()[name]


def pin(threads: int, replicas: int = 1) -> None:
    """Set TensorFlow's number of threads, and devices for the replicas of a network.

    Call it before the first operation. `threads` is the size of the thread pools, not the number
    of cores: sums are split by it, so another number gives other bits, and the same number on
    fewer cores gives the same. One replica runs on the processor, and graphics cards stay
    unseen, since they too give other bits.
    """
    from kantor.system.runtime import tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    with _without_native_log():
        if replicas == 1:
            tf.config.set_visible_devices([], "GPU")
        elif not cards():
            (processor,) = tf.config.list_physical_devices("CPU")
            shares = [tf.config.LogicalDeviceConfiguration()] * replicas
            tf.config.set_logical_device_configuration(processor, shares)
        else:
            for card in tf.config.list_physical_devices("GPU"):
                # Or else it would take all memory of a card, and leave none to another process.
                tf.config.experimental.set_memory_growth(card, True)
        tf.constant(0)


def cards() -> int:
    """How many graphics cards TensorFlow sees."""
    from kantor.system.runtime import tf

    return len(tf.config.list_physical_devices("GPU"))


def replicated(replicas: int) -> "tf.distribute.Strategy":
    """The strategy that trains this many replicas of a network; KantorError if there are fewer
    devices.
    """
    from kantor.system.runtime import tf

    if replicas == 1:
        return tf.distribute.get_strategy()
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(devices) < replicas:
        raise KantorError(
            f"params.yaml: train.replicas is {replicas}: there are {len(devices)} devices of "
            f"kind {kind}; set it to that or less"
        )
    return tf.distribute.MirroredStrategy(devices[:replicas])


@contextmanager
def _without_native_log():
    """Drop what C++ code writes to standard error: its log of cards that are not there."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
