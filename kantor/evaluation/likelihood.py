"""How well a model predicts chorales.

Task: every note but the first of a piece is predicted from the notes before it, row by row,
soprano first. Loss is the cross-entropy, -ln p(note), in nats a note; accuracy is the share of
notes that have the largest probability. All figures are means over notes, never over
batches, and no padding is ever among them.

Two protocols. *Pieces*: whole chorales in order, as papers on this data report it (times 4,
nats a row). *Windows*: pieces of 33 rows every 16 rows, the teaching notebook's; early notes
have next to no context, and middle ones count twice.

Since most notes repeat the one before in their voice, each figure also stands for
*onsets*, notes that differ from the row before in their voice, and for *holds*, the others.
Notes of a first row are neither.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.data.records import Record
from kantor.network import normalisation
from kantor.plan import COLUMNS, UNKNOWN
from kantor.system.progress import Progress
from kantor.system.runtime import keras, tf

NOT_THERE = -1
PAD = 0
MOST_NOTES_A_BATCH = 2**14

# Turns tokens (rows, 4) of each piece into probabilities (rows, 4, 47) of those notes, each from
# the notes before it. Those of the very first note are never looked at.
Predictor = Callable[[list[np.ndarray]], list[np.ndarray]]


def predictions(records: Sequence[Record], predict: Predictor) -> pd.DataFrame:
    """A row for every note but the first of each record, in order.

    Columns: chorale, row, voice, before (the token of the row before in that voice,
    -1 in a first row), token, predicted (the likeliest token), loss (nats).
    """
    frames = []
    outputs = predict([record.tokens for record in records])
    for record, probabilities in zip(records, outputs, strict=True):
        rows, voices = np.indices(record.tokens.shape)
        before = np.vstack([np.full(len(VOICES), NOT_THERE), record.tokens[:-1]])
        own = np.take_along_axis(probabilities, record.tokens[:, :, None], axis=2).astype(
            np.float64
        )
        loss = -np.log(np.maximum(own, np.finfo(np.float32).tiny))
        columns = {
            "chorale": np.full(record.tokens.shape, record.chorale),
            "row": record.row + rows,
            "voice": voices,
            "before": before,
            "token": record.tokens,
            "predicted": probabilities.argmax(axis=2),
            "loss": loss,
        }
        frames.append(pd.DataFrame({name: x.ravel()[1:] for name, x in columns.items()}))
    return pd.concat(frames, ignore_index=True)


def model_predictor(model: keras.Model, what: str) -> Predictor:
    """The predictor of a model; pieces of about one length share a batch. `what` is for the
    progress.
    """
    # Compiled as training is: operations by themselves follow the processor.
    compiled = tf.function(normalisation.exact(model), jit_compile=True)

    def predict(pieces: list[np.ndarray]) -> list[np.ndarray]:
        def batch(places: list[int]) -> np.ndarray:
            longest = max(pieces[i].size for i in places) - 1
            arpeggios = np.full((len(places), longest), PAD, np.int32)
            for line, i in zip(arpeggios, places, strict=True):
                line[: pieces[i].size - 1] = pieces[i].ravel()[:-1]
            # Nothing is said of the very first note.
            following = np.pad(compiled(arpeggios).numpy(), ((0, 0), (1, 0), (0, 0)))
            return following.reshape(len(places), -1, len(VOICES), VOCABULARY_SIZE)

        return _in_batches(pieces, batch, what)

    return predict


def planned_predictor(model: keras.Model, plans: Sequence[np.ndarray], what: str) -> Predictor:
    """The predictor of a model that is told the plan (rows, 6) of each piece; see
    kantor.network.model.planned.
    """
    compiled = tf.function(normalisation.exact(model), jit_compile=True)

    def predict(pieces: list[np.ndarray]) -> list[np.ndarray]:
        def batch(places: list[int]) -> np.ndarray:
            shape = len(places), max(len(pieces[i]) for i in places)
            tokens = np.full((*shape, len(VOICES)), PAD, np.int32)
            asked = np.full((*shape, COLUMNS), UNKNOWN, np.int32)
            for notes, plan, i in zip(tokens, asked, places, strict=True):
                notes[: len(pieces[i])], plan[: len(pieces[i])] = pieces[i], plans[i]
            return compiled([tokens, asked]).numpy()

        return _in_batches(pieces, batch, what)

    return predict


def _in_batches(
    pieces: list[np.ndarray], predict: Callable[[list[int]], np.ndarray], what: str
) -> list[np.ndarray]:
    """What `predict` gives for pieces, by their places, (batch, rows, 4, 47), each as long as it
    is.
    """
    result: list[np.ndarray | None] = [None] * len(pieces)
    with Progress(what, len(pieces), "parts") as progress:
        for batch in _by_length(pieces):
            # The model is causal: what stands behind a piece can't change it.
            for i, output in zip(batch, predict(batch), strict=True):
                result[i] = output[: len(pieces[i])]
            progress.advance(units=len(batch))
    return result


def figures(notes: pd.DataFrame) -> dict[str, float | None]:
    """Loss and accuracy over all notes, onsets and holds of a frame from `predictions`.

    None stands where there are no such notes.
    """
    later = notes["before"] != NOT_THERE
    onset = notes["before"] != notes["token"]
    groups = {"": notes, "onset_": notes[later & onset], "hold_": notes[later & ~onset]}
    result = {}
    for prefix, group in groups.items():
        result[f"{prefix}loss"] = mean(group["loss"])
        result[f"{prefix}accuracy"] = mean(group["predicted"] == group["token"])
        result[f"{prefix}notes"] = len(group)
    return result


def by_voice(notes: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """`figures` of each voice."""
    return {name: figures(notes[notes["voice"] == voice]) for voice, name in enumerate(VOICES)}


def by_kind(notes: pd.DataFrame, bigram: pd.DataFrame) -> pd.DataFrame:
    """Onsets and held notes, a row each: loss and accuracy of the model and of the bigram."""
    scores = {"model": figures(notes), "bigram": figures(bigram)}
    return pd.DataFrame(
        {"notes": name}
        | {
            f"{who}_{figure}": score[f"{kind}_{figure}"]
            for figure in ("loss", "accuracy")
            for who, score in scores.items()
        }
        for kind, name in (("onset", "onsets"), ("hold", "held"))
    )


def by_place(notes: pd.DataFrame, rows: int) -> pd.Series:
    """Mean loss by place in the piece: a place is `rows` rows, named by its first."""
    return notes.groupby(notes["row"] // rows * rows)["loss"].mean()


def intervals(notes: pd.DataFrame, largest: int = 12) -> pd.DataFrame:
    """How onsets were confused: true and predicted interval from the note before, and count.

    In semitones, up is positive, further ones counted as `largest`; without notes that come
    after, are, or are predicted as silence.
    """
    sounding = notes[(notes[["before", "token", "predicted"]] > 0).all(axis=1)]
    onsets = sounding[sounding["before"] != sounding["token"]]
    true = (onsets["token"] - onsets["before"]).clip(-largest, largest)
    guess = (onsets["predicted"] - onsets["before"]).clip(-largest, largest)
    table = pd.DataFrame({"interval": true, "predicted": guess})
    return table.value_counts(sort=False).rename("notes").reset_index()


def mean(values: pd.Series) -> float | None:
    """The mean, None of nothing."""
    return float(values.mean()) if len(values) else None


def _by_length(pieces: list[np.ndarray]) -> list[list[int]]:
    """Indices in batches of similar lengths, each of some 16,000 notes."""
    batches: list[list[int]] = [[]]
    for i in sorted(range(len(pieces)), key=lambda i: pieces[i].size):
        if (len(batches[-1]) + 1) * pieces[i].size > MOST_NOTES_A_BATCH and batches[-1]:
            batches.append([])
        batches[-1].append(i)
    return batches
