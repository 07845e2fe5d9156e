"""Training the network of kantor.network.strikes, in seconds."""

from collections.abc import Sequence

import numpy as np

from kantor import params
from kantor.data.records import Record
from kantor.network import strikes
from kantor.system.progress import Progress
from kantor.system.runtime import keras
from kantor.training import loop
from kantor.training.examples import partly_unknown


def train(
    pieces: Sequence[Record], settings: params.Strikes, crops: params.Crops, seed: int
) -> keras.Model:
    """A network that was trained on the cells of some pieces whose striking is known.

    Of their plans as much is unknown, piece by piece and anew every epoch, as `crops` says. Where
    no cell is known the network never strikes.
    """
    keras.utils.set_random_seed(seed)
    network = strikes.build(settings.units)
    if not len(strikes.cells(pieces)[1]):
        kernel, bias = network.get_layer("struck").get_weights()
        network.get_layer("struck").set_weights([0 * kernel, 0 * bias + strikes.NEVER])
        return network
    # A model of the same layers: what is saved has nothing of the training.
    trained = keras.Model(network.inputs, network.outputs)
    trained.compile(
        keras.optimizers.Adam(settings.learning_rate), "binary_crossentropy", jit_compile=True
    )
    with Progress("train strikes", settings.epochs, "epochs") as progress:
        for epoch in range(settings.epochs):
            draw = np.random.default_rng(np.random.SeedSequence((seed, epoch)))
            plans = [partly_unknown(piece.plan, crops, draw) for piece in pieces]
            numbers, struck = strikes.cells(pieces, plans)
            order = draw.permutation(len(struck))
            examples = numbers[order], struck[order]
            trained.fit(loop.batches(examples, settings.batch_size), shuffle=False, verbose=0)
            progress.advance()
    return network
