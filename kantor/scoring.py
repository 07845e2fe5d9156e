"""How well a model foretells chorales, and how well two trivial foretellers do.

Task: every note but the first of an arpeggio is foretold from the notes before it. Loss is
the cross-entropy, -ln p(note), in nats a note; accuracy is the share of notes that the
largest probability is given to. All figures are means over notes, never over batches, and
no padding is ever among them.

Two protocols. *Pieces*: whole chorales in order, as papers on this data report it (times 4,
nats a row). *Windows*: pieces of 33 rows every 16 rows, the teaching notebook's; early notes
have next to no context, and middle ones count twice.

Since most notes repeat the one before in their voice, each figure is also given for
*onsets*, notes that differ from the row before in their voice, and for *holds*, the others.
Notes of a first row are neither.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from kantor.chorale import VOCABULARY, VOICES
from kantor.progress import Progress
from kantor.records import Record
from kantor.runtime import keras

UNKNOWN = -1
PAD = 0
MOST_NOTES_A_BATCH = 2**14

Foreteller = Callable[[list[np.ndarray]], list[np.ndarray]]


def foretold(parts: Sequence[Record], foretell: Foreteller) -> pd.DataFrame:
    """A row for every note but the first of each part.

    `foretell` turns arpeggios (notes,) into probabilities (notes - 1, 47), in order.
    Columns: chorale, row, voice, before (the token of the row before in that voice,
    -1 in a first row), token, foretold (the likeliest token), loss (nats).
    """
    frames = []
    for part, probabilities in zip(parts, foretell([p.tokens for p in parts]), strict=True):
        tokens = part.tokens[1:]
        place = np.arange(1, len(part.tokens))
        before = np.concatenate([np.full(len(VOICES), UNKNOWN), part.tokens[: -len(VOICES)]])
        chosen = probabilities[np.arange(len(tokens)), tokens].astype(np.float64)
        frames.append(
            pd.DataFrame(
                {
                    "chorale": part.chorale,
                    "row": part.row + place // len(VOICES),
                    "voice": place % len(VOICES),
                    "before": before[1:],
                    "token": tokens,
                    "foretold": probabilities.argmax(axis=1),
                    "loss": -np.log(np.maximum(chosen, np.finfo(np.float32).tiny)),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def figures(notes: pd.DataFrame) -> dict[str, float | None]:
    """Loss and accuracy over all notes, onsets and holds of a frame from `foretold`.

    None stands where there are no such notes.
    """
    known = notes["before"] != UNKNOWN
    onset = notes["before"] != notes["token"]
    groups = {"": notes, "onset_": notes[known & onset], "hold_": notes[known & ~onset]}
    result = {}
    for prefix, group in groups.items():
        result[f"{prefix}loss"] = _mean(group["loss"])
        result[f"{prefix}accuracy"] = _mean(group["foretold"] == group["token"])
        result[f"{prefix}notes"] = len(group)
    return result


def by_voice(notes: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """`figures` of each voice."""
    return {name: figures(notes[notes["voice"] == voice]) for voice, name in enumerate(VOICES)}


def by_kind(notes: pd.DataFrame, bigram: pd.DataFrame) -> pd.DataFrame:
    """Onsets and held notes, a row each: loss and accuracy of the model and of the bigram."""
    scored = {"model": figures(notes), "bigram": figures(bigram)}
    return pd.DataFrame(
        {"notes": name}
        | {
            f"{who}_{figure}": of[f"{kind}_{figure}"]
            for figure in ("loss", "accuracy")
            for who, of in scored.items()
        }
        for kind, name in (("onset", "onsets"), ("hold", "held"))
    )


def by_place(notes: pd.DataFrame, rows: int) -> pd.Series:
    """Mean loss by place in the piece: by first row of each stretch of so many rows."""
    return notes.groupby(notes["row"] // rows * rows)["loss"].mean()


def intervals(notes: pd.DataFrame, largest: int = 12) -> pd.DataFrame:
    """How onsets were confused: true and foretold interval from the note before, and count.

    In semitones, up is positive, further ones counted as `largest`; without notes that come
    after, are, or are foretold as silence.
    """
    sounding = notes[(notes[["before", "token", "foretold"]] > 0).all(axis=1)]
    onsets = sounding[sounding["before"] != sounding["token"]]
    true = (onsets["token"] - onsets["before"]).clip(-largest, largest)
    guess = (onsets["foretold"] - onsets["before"]).clip(-largest, largest)
    table = pd.DataFrame({"interval": true, "foretold": guess})
    return table.value_counts(sort=False).rename("notes").reset_index()


def of_model(model: keras.Model, what: str) -> Foreteller:
    """Foretell by a model, with arpeggios of about one length together in a batch."""

    def foretell(arpeggios: list[np.ndarray]) -> list[np.ndarray]:
        result: list[np.ndarray | None] = [None] * len(arpeggios)
        with Progress(what, len(arpeggios), "parts") as progress:
            for batch in _by_length(arpeggios):
                longest = max(len(arpeggios[i]) for i in batch) - 1
                padded = np.full((len(batch), longest), PAD, np.int32)
                for line, i in zip(padded, batch, strict=True):
                    line[: len(arpeggios[i]) - 1] = arpeggios[i][:-1]
                # The model is causal: what stands behind a piece can't change it.
                for i, given in zip(batch, model.predict_on_batch(padded), strict=True):
                    result[i] = given[: len(arpeggios[i]) - 1]
                progress.advance(units=len(batch))
        return result

    return foretell


def copy_accuracy(notes: pd.DataFrame) -> float | None:
    """How often the note before in the voice is the right one; never in a first row."""
    return _mean(notes["before"] == notes["token"])


def bigram(pieces: Sequence[Record], smoothing: float) -> Foreteller:
    """Foretell from the note before in the voice, by counts in `pieces` plus `smoothing`.

    Before the first row there is a token of its own.
    """
    start = VOCABULARY
    counts = np.full((len(VOICES), VOCABULARY + 1, VOCABULARY), smoothing)
    for piece in pieces:
        for voice, line in enumerate(piece.tokens.reshape(-1, len(VOICES)).T):
            np.add.at(counts[voice], (np.concatenate([[start], line[:-1]]), line), 1)
    table = counts / counts.sum(axis=2, keepdims=True)

    def foretell(arpeggios: list[np.ndarray]) -> list[np.ndarray]:
        return [
            table[
                np.arange(1, len(arpeggio)) % len(VOICES),
                np.concatenate([np.full(len(VOICES), start), arpeggio])[1 : len(arpeggio)],
            ]
            for arpeggio in arpeggios
        ]

    return foretell


def _by_length(arpeggios: list[np.ndarray]) -> list[list[int]]:
    """Indices in batches of similar lengths, each of some 16,000 notes."""
    batches: list[list[int]] = [[]]
    for i in sorted(range(len(arpeggios)), key=lambda i: len(arpeggios[i])):
        if (len(batches[-1]) + 1) * len(arpeggios[i]) > MOST_NOTES_A_BATCH and batches[-1]:
            batches.append([])
        batches[-1].append(i)
    return batches


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None
