"""How surprising each note of a piece is to a model, and what it would rather have heard."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kantor import chorale
from kantor.chorale import LOWEST, SILENCE, VOICES
from kantor.data.records import Record
from kantor.evaluation import likelihood
from kantor.judging import spelling
from kantor.notation.bars import Bars

LIKELIER = 3


def surprises(grids: Sequence[np.ndarray], predict: likelihood.Predictor) -> list[pd.DataFrame]:
    """A frame for each grid (rows, 4), with a row for each note or rest, by row, then voice.

    Columns: row, voice (0 = soprano), pitch (MIDI, 0 = a rest), rows (how long it is held),
    surprise (-ln p where it begins, in nats), held_surprise (of its later rows, summed), and
    pitch_1, probability_1 ... pitch_3, probability_3: the pitches that were likelier there, the
    likeliest first. What there is not is missing: fewer are likelier, or nothing comes before.
    """
    tokens = [chorale.encode(grid) for grid in grids]
    outputs = predict(tokens)
    return [_surprises(*piece) for piece in zip(grids, tokens, outputs, strict=True)]


def _surprises(grid: np.ndarray, tokens: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    scored = likelihood.predictions([Record(tokens, 0, 0)], lambda _: [probabilities])
    losses = np.concatenate([[np.nan], scored["loss"].to_numpy()]).reshape(grid.shape)
    listed = []
    for voice in range(len(VOICES)):
        for begin, end in chorale.runs(grid[:, voice]):
            note = {
                "row": begin,
                "voice": voice,
                "pitch": int(grid[begin, voice]),
                "rows": end - begin,
                "surprise": losses[begin, voice],
                "held_surprise": losses[begin + 1 : end, voice].sum(),
            }
            listed.append(note | _likelier(probabilities[begin, voice], tokens[begin, voice]))
    return pd.DataFrame(listed).sort_values(["row", "voice"], ignore_index=True)


def _likelier(probabilities: np.ndarray, token: int) -> dict[str, float]:
    """The pitches that have larger probabilities (47,) than a token's, as columns."""
    order = np.argsort(-probabilities, kind="stable")[:LIKELIER]
    columns = {}
    for place in range(LIKELIER):
        likelier = probabilities[order[place]] > probabilities[token]
        pitch = SILENCE if order[place] == SILENCE else order[place] + LOWEST - 1
        columns[f"pitch_{place + 1}"] = pitch if likelier else np.nan
        columns[f"probability_{place + 1}"] = probabilities[order[place]] if likelier else np.nan
    return columns


def named(notes: pd.DataFrame, grid: np.ndarray, bars: Bars) -> pd.DataFrame:
    """A frame of `surprises` for people: with bar and beat, and names in place of numbers."""
    classes = spelling.names(spelling.signature(grid))

    def name(pitch: float) -> str:
        if np.isnan(pitch):
            return ""
        return "rest" if pitch == SILENCE else spelling.pitch_name(int(pitch), classes)

    places = [bars.place(row) for row in notes["row"].tolist()]
    columns = {
        "bar": [bar for bar, _ in places],
        "beat": [f"{beat:g}" for _, beat in places],
        "row": notes["row"],
        "voice": [VOICES[voice] for voice in notes["voice"]],
        "note": notes["pitch"].map(name),
        "rows": notes["rows"],
        "surprise": notes["surprise"],
        "held_surprise": notes["held_surprise"],
    }
    for place in range(1, LIKELIER + 1):
        columns[f"likelier_{place}"] = notes[f"pitch_{place}"].map(name)
        columns[f"probability_{place}"] = notes[f"probability_{place}"]
    return pd.DataFrame(columns)


def lines(notes: pd.DataFrame, bars: Bars, count: int) -> list[str]:
    """The `count` most surprising notes of a frame of `named`, a line each, the most first."""
    most = notes.dropna(subset="surprise").sort_values("surprise", ascending=False, kind="stable")
    listed = []
    for note in most.head(count).to_dict("records"):
        likelier = [
            f"{note[f'likelier_{place}']} ({note[f'probability_{place}']:.0%})"
            for place in range(1, LIKELIER + 1)
            if note[f"likelier_{place}"]
        ]
        rather = f"; likelier: {', '.join(likelier)}" if likelier else ""
        text = f"{note['surprise']:5.2f}  {note['voice']} {note['note']}{rather}"
        listed.append(f"  {bars.words(note['row']):18} {text}")
    return listed
