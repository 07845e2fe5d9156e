"""Two architectures of very few layers, each all that a new one needs."""

from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.network.architecture import MEMBER, Architecture
from kantor.params import Block, Count
from kantor.system.runtime import keras

layers, ops = keras.layers, keras.ops


class Settings(Block):
    width: Count


def of_notes(settings: Settings, number: int) -> keras.Model:
    """A note from the ones before it, through a GRU."""
    arpeggio = layers.Input((None,), dtype="int32", name="arpeggio")
    x = layers.Embedding(VOCABULARY_SIZE, settings.width, name="notes")(arpeggio)
    x = layers.GRU(settings.width, return_sequences=True, name="gru")(x)
    probabilities = layers.Dense(VOCABULARY_SIZE, activation="softmax", name="probabilities")
    return keras.Model(arpeggio, probabilities(x), name=f"{MEMBER}{number}")


def of_rows(settings: Settings, number: int) -> keras.Model:
    """A voice's note from those of the voices above it, up to this row; without a lookback."""
    rows = layers.Input((None, len(VOICES)), dtype="int32", name="rows")
    embed = layers.Embedding(VOCABULARY_SIZE, settings.width, name="notes")
    notes = [embed(rows[:, :, voice]) for voice in range(len(VOICES))]
    logits = []
    for voice, voice_name in enumerate(VOICES):
        above = layers.Concatenate(name=f"{voice_name}_inputs")([0 * notes[0], *notes[:voice]])
        x = layers.GRU(settings.width, return_sequences=True, name=f"{voice_name}_gru")(above)
        logits.append(layers.Dense(VOCABULARY_SIZE, name=voice_name)(x))
    probabilities = layers.Activation("softmax", name="probabilities")(ops.stack(logits, axis=2))
    return keras.Model(rows, probabilities, name=f"{MEMBER}{number}")


NOTES = Architecture("toy", Settings, of_notes, steps="notes")
ROWS = Architecture("toy", Settings, of_rows, steps="rows")
