"""The notebook's network: dilated causal convolutions (van den Oord et al., "WaveNet", arXiv
1609.03499), then LSTM layers. Either part may be left out.
"""

from kantor.chorale import VOCABULARY
from kantor.params import WavenetLstm
from kantor.runtime import keras

layers = keras.layers


def inputs(arpeggio: keras.KerasTensor) -> keras.KerasTensor:
    """What a core takes: the arpeggio as it is."""
    return arpeggio


def in_order(arpeggio: keras.KerasTensor, foretold: keras.KerasTensor) -> keras.KerasTensor:
    """Probabilities note by note, which is how a core gives them."""
    return foretold


def core(chosen: WavenetLstm, name: str) -> keras.Model:
    """Arpeggio, int (batch, notes), to probabilities (batch, notes, 47): place i foretells
    note i + 1.
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
    return keras.Model(arpeggio, probabilities, name=name)
