"""The notebook's network: dilated causal convolutions (van den Oord et al., "WaveNet", arXiv
1609.03499), then LSTM layers. Either part may be left out.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kantor.bounds import NotNegative, Share, Units
from kantor.chorale import VOCABULARY_SIZE
from kantor.network.architecture import MEMBER, Architecture, Size
from kantor.system import runtime
from kantor.system.settings import Block

if TYPE_CHECKING:
    from kantor.system.runtime import keras


class Settings(Block):
    embedding: Units
    # The twelfth convolution sees notes 2,048 apart, nearly a whole piece.
    filters: Annotated[list[Units], Field(max_length=12)]
    kernel: Annotated[int, Field(ge=1, le=64)]
    batch_norm: bool
    pooling: Annotated[int, Field(ge=1, le=64)]
    lstm: Annotated[list[Units], Field(max_length=16)]
    dropout: Share
    l1: NotNegative
    l2: NotNegative


def member(settings: Settings, number: int) -> "keras.Model":
    """Arpeggio, int (batch, notes), to probabilities (batch, notes, 47): place i predicts note
    i + 1.
    """
    layers, regularizers = runtime.keras.layers, runtime.keras.regularizers
    penalty = regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    x = layers.Embedding(VOCABULARY_SIZE, settings.embedding, name="embedding")(arpeggio)
    for place, filters in enumerate(settings.filters, start=1):
        x = layers.Conv1D(
            filters,
            settings.kernel,
            padding="causal",
            activation="relu",
            dilation_rate=2 ** (place - 1),
            kernel_regularizer=penalty,
            name=f"convolution_{place}",
        )(x)
        if settings.pooling > 1:
            # As long as before and blind to the future: the pool ends at its own note.
            # Zeros in front change no maximum, since ReLU gives nothing below zero.
            x = layers.ZeroPadding1D((settings.pooling - 1, 0), name=f"before_{place}")(x)
            x = layers.MaxPooling1D(settings.pooling, strides=1, name=f"pooling_{place}")(x)
        if settings.batch_norm:
            x = layers.BatchNormalization(name=f"normalisation_{place}")(x)
        if settings.dropout:
            x = layers.Dropout(settings.dropout, name=f"convolution_dropout_{place}")(x)
    for place, units in enumerate(settings.lstm, start=1):
        x = layers.LSTM(
            units, return_sequences=True, kernel_regularizer=penalty, name=f"lstm_{place}"
        )(x)
        if settings.dropout:
            x = layers.Dropout(settings.dropout, name=f"lstm_dropout_{place}")(x)
    probabilities = layers.Dense(
        VOCABULARY_SIZE, activation="softmax", kernel_regularizer=penalty, name="probabilities"
    )(x)
    return runtime.keras.Model(arpeggio, probabilities, name=f"{MEMBER}{number}")


def size(settings: Settings) -> Size:
    """The size of a member, before it is there."""
    width = outputs = settings.embedding
    parameters = VOCABULARY_SIZE * settings.embedding
    for filters in settings.filters:
        parameters += (settings.kernel * width + 1) * filters
        parameters += 4 * filters if settings.batch_norm else 0
        outputs += 4 * filters
        width = filters
    for units in settings.lstm:
        parameters += 4 * units * (width + units + 1)
        outputs += 6 * units
        width = units
    return Size(parameters + (width + 1) * VOCABULARY_SIZE, outputs + VOCABULARY_SIZE)


ARCHITECTURE = Architecture("wavenet_lstm", Settings, member, steps="notes", size=size)
