"""When voices move: what the pulse says of whether a voice stays on its note.

In Bach something moves on almost every beat, until a phrase ends; then all stand still at once.
No voice can tell that by itself. So the logit of the note before has a number added for each case:
how long nothing has moved, whether a voice above moves now, how far the end of the phrase or of the
piece is, and where in its beat the row is. It is the same for all notes, and nothing at first.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kantor.chorale import ROWS_PER_QUARTER, VOCABULARY_SIZE, VOICES
from kantor.network.plan_features import ENDS
from kantor.system import runtime

if TYPE_CHECKING:
    from kantor.system.runtime import keras

LONGEST_STILL = 12  # rows; longer ones count as this
CASES = (LONGEST_STILL + 1) * 2 * ROWS_PER_QUARTER * ENDS
RULES = ("_stays",)  # end the names of the layers that weight decay leaves alone


def staying(
    rows: "keras.KerasTensor",
    before: "keras.KerasTensor",
    held: "keras.KerasTensor",
    position: "keras.KerasTensor",
    end: "keras.KerasTensor",
) -> "Callable[[int], keras.KerasTensor]":
    """For a voice, what is added to its logits, (batch, rows, 47): from tokens (batch, rows, 4) of
    the rows and of those before, for how long each voice has held its note, the rows' positions
    (batch, rows, 1), and the number of the end that is near, 0 to ENDS - 1, (batch, rows).
    """
    layers, ops = runtime.keras.layers, runtime.keras.ops
    still = ops.minimum(ops.min(held, axis=2), LONGEST_STILL)
    in_beat = position[:, :, 0] % ROWS_PER_QUARTER
    moves = ops.not_equal(rows, before)

    def stays(voice: int) -> "keras.KerasTensor":
        case = (end * (LONGEST_STILL + 1) + still) * ROWS_PER_QUARTER + in_beat
        if voice:
            case = case * 2 + ops.cast(ops.any(moves[:, :, :voice], axis=2), "int32")
        table = layers.Embedding(
            CASES, 1, embeddings_initializer="zeros", name=f"{VOICES[voice]}_stays"
        )
        return ops.one_hot(before[:, :, voice], VOCABULARY_SIZE) * table(case)

    return stays
