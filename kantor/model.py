"""Architectures: settings to a Keras model.

Every model takes an arpeggio of tokens, int (batch, notes), any number of notes, and gives
softmax probabilities, float32 (batch, notes, 47): place i foretells note i + 1 from the
notes up to i, and from no later one. It is made of stock Keras layers alone, so that its
file loads where nothing of this project is at hand.
"""

from kantor import row_gru
from kantor.chorale import VOCABULARY
from kantor.params import Model, WavenetLstm
from kantor.runtime import keras

layers = keras.layers


def build(settings: Model) -> keras.Model:
    """The model that `settings` describe, with fresh weights from Keras's random state.

    It is compiled with the notebook's loss and optimiser, for whoever loads its file and
    calls `evaluate` or `fit` on it.
    """
    architectures = {"row_gru": row_gru.build, "wavenet_lstm": wavenet_lstm}
    network = architectures[settings.architecture](getattr(settings, settings.architecture))
    # Otherwise Keras counts the optimisers of a process, and writes that into the file.
    optimizer = keras.optimizers.Nadam(name="nadam")
    network.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def parts(network: keras.Model) -> tuple[keras.Model | None, keras.Model]:
    """What a network knows of an arpeggio without weights, if it has such a part, and its
    core, which is trained on that and on the arpeggio. The weights are the network's own.
    """
    names = {layer.name for layer in network.layers}
    if "core" not in names:
        return None, network
    return network.get_layer("recall"), network.get_layer("core")


def wavenet_lstm(chosen: WavenetLstm) -> keras.Model:
    """The notebook's network: dilated causal convolutions (van den Oord et al., "WaveNet",
    arXiv 1609.03499), then LSTM layers. Either part may be left out.
    """
    penalty = keras.regularizers.L1L2(chosen.l1, chosen.l2) if chosen.l1 or chosen.l2 else None
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    x = layers.Embedding(VOCABULARY, chosen.embedding, name="embedding")(arpeggio)
    for place, filters in enumerate(chosen.filters, start=1):
        x = layers.Conv1D(
            filters,
            chosen.kernel,
            padding="causal",
            activation="relu",
            dilation_rate=2 ** (place - 1),
            kernel_regularizer=penalty,
            name=f"convolution_{place}",
        )(x)
        if chosen.pooling > 1:
            # As long as before and blind to the future: the pool ends at its own note.
            # Zeros in front change no maximum, since ReLU gives nothing below zero.
            x = layers.ZeroPadding1D((chosen.pooling - 1, 0), name=f"before_{place}")(x)
            x = layers.MaxPooling1D(chosen.pooling, strides=1, name=f"pooling_{place}")(x)
        if chosen.batch_norm:
            x = layers.BatchNormalization(name=f"normalisation_{place}")(x)
        if chosen.dropout:
            x = layers.Dropout(chosen.dropout, name=f"convolution_dropout_{place}")(x)
    for place, units in enumerate(chosen.lstm, start=1):
        x = layers.LSTM(
            units, return_sequences=True, kernel_regularizer=penalty, name=f"lstm_{place}"
        )(x)
        if chosen.dropout:
            x = layers.Dropout(chosen.dropout, name=f"lstm_dropout_{place}")(x)
    probabilities = layers.Dense(
        VOCABULARY, activation="softmax", kernel_regularizer=penalty, name="probabilities"
    )(x)
    return keras.Model(arpeggio, probabilities, name="wavenet_lstm")
