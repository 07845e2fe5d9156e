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

from collections.abc import Callable, Iterator, Sequence

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
MOST_ROWS = 2**12  # of a batch
# Rows that batches have: windows have 33. A piece that is longer than all has as many as it needs.
ROOMS = (36, 256, 512, 1024)

# Turns tokens (rows, 4) of each piece into probabilities (rows, 4, 47) of those notes, each from
# the notes before it. Those of the very first note are never looked at.
Predictor = Callable[[list[np.ndarray]], list[np.ndarray]]
# The same, with the plans (rows, 6) of the pieces.
PlannedPredictor = Callable[[list[np.ndarray], list[np.ndarray]], list[np.ndarray]]


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


def model_predictor(model: keras.Model) -> Predictor:
    """The predictor of a model. What is compiled serves all that it predicts."""
    # Compiled as training is: operations by themselves follow the processor.
    compiled = tf.function(normalisation.exact(model), jit_compile=True, autograph=False)

    def batch(tokens: np.ndarray, plans: np.ndarray) -> np.ndarray:
        arpeggios = tokens.reshape(len(tokens), -1)[:, :-1]
        # Nothing is said of the very first note.
        following = np.pad(compiled(arpeggios).numpy(), ((0, 0), (1, 0), (0, 0)))
        return following.reshape(*tokens.shape, VOCABULARY_SIZE)

    return lambda pieces: _in_batches(pieces, None, batch)


def planned_predictor(model: keras.Model) -> PlannedPredictor:
    """As `model_predictor`, of a model that is told plans: see kantor.network.model.planned."""
    compiled = tf.function(normalisation.exact(model), jit_compile=True, autograph=False)

    def batch(tokens: np.ndarray, plans: np.ndarray) -> np.ndarray:
        return compiled([tokens, plans]).numpy()

    return lambda pieces, plans: _in_batches(pieces, plans, batch)


def _in_batches(
    pieces: list[np.ndarray],
    plans: list[np.ndarray] | None,
    predict: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> list[np.ndarray]:
    """The probabilities (rows, 4, 47) of each piece, from `predict`, which takes batches of tokens
    (batch, rows, 4) and plans (batch, rows, 6) and gives probabilities (batch, rows, 4, 47).
    """
    result: list[np.ndarray | None] = [None] * len(pieces)
    with Progress("predict", len(pieces), "parts") as progress:
        for places, shape in _batches([len(piece) for piece in pieces]):
            tokens = np.full((*shape, len(VOICES)), PAD, np.int32)
            asked = np.full((*shape, COLUMNS), UNKNOWN, np.int32)
            for line, i in enumerate(places):
                tokens[line, : len(pieces[i])] = pieces[i]
                if plans is not None:
                    asked[line, : len(pieces[i])] = plans[i]
            # The model is causal: what stands behind a piece can't change it.
            for i, output in zip(places, predict(tokens, asked), strict=False):
                result[i] = output[: len(pieces[i])]
            progress.advance(units=len(places))
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


def _batches(lengths: list[int]) -> Iterator[tuple[list[int], tuple[int, int]]]:
    """The places of pieces that share a batch, by their lengths in rows, and the batch's shape,
    pieces and rows. The shapes are few, since it takes seconds to compile one.
    """
    by_rows: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        rows = next((room for room in ROOMS if room >= length), length)
        by_rows.setdefault(rows, []).append(place)
    for rows, places in sorted(by_rows.items()):
        power_of_two = 1 << (len(places) - 1).bit_length()
        together = min(power_of_two, max(MOST_ROWS // rows, 1))
        for first in range(0, len(places), together):
            yield places[first : first + together], (together, rows)
