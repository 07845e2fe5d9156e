"""report: the listening page, and by themselves the scores and piano rolls that are on it."""

import json
import math
from pathlib import Path

import pandas as pd
import yaml

from kantor import chorale, params
from kantor.notation import engraving, piece
from kantor.notation.piece import Piece
from kantor.report import line_chart, page, piano_roll
from kantor.system import atomic, environment, errors
from kantor.system.progress import Progress

COMPOSITIONS = Path("reports/compositions")
SAMPLES = Path("reports/samples")
PROBABILITIES = Path("reports/probabilities")
METRICS = Path("reports/metrics.json")
TRAINING = Path("reports/evaluation/training.csv")
PICTURES = Path("reports/pictures")
PAGE = Path("reports/index.html")
COLUMNS = ("loss", "accuracy", "onset_loss", "onset_accuracy")


def main() -> None:
    settings = params.load()
    compositions = piece.load(COMPOSITIONS)
    samples = ["prompt", *settings.compose.samples, "original"]
    chorales = [name for name in compositions if name not in samples]
    assets = page.Assets()

    with (
        atomic.output(PICTURES) as folder,
        Progress("lay out", len(compositions), "pieces") as progress,
    ):
        folder.mkdir()
        pieces = {}
        for name, composition in compositions.items():
            sample = name in samples
            prompt_rows = settings.compose.prompt.rows if sample else 0
            text, facts = description(name, composition, settings.compose)
            sound, pages = pack(name, sample, assets, folder)
            drawn = draw(name, composition, prompt_rows, folder)
            pieces[name] = page.PagePiece(name, text, facts, sound, pages, drawn)
            progress.advance()

    metrics, history = json.loads(METRICS.read_text()), pd.read_csv(TRAINING)
    split = "test" if metrics["held_out_test"] else "valid"
    scores = metrics[split]
    html = page.build(
        assets,
        samples=[pieces[name] for name in samples],
        chorales=[pieces[name] for name in chorales],
        rows_a_minute=settings.render.tempo * chorale.ROWS_PER_QUARTER,
        voices=chorale.VOICES,
        facts={
            "split": split,
            "chorales": metrics["sizes"][split]["chorales"],
            "none": round(math.log(chorale.VOCABULARY_SIZE), 2),
        },
        columns=COLUMNS,
        table={
            "pieces": scores["pieces"],
            "windows": scores["windows"],
            "bigram": scores["baselines"]["bigram"],
            # Repeating is wrong at every onset, and gives no probabilities.
            "copy": dict.fromkeys(COLUMNS) | scores["baselines"]["copy"] | {"onset_accuracy": 0.0},
        },
        by_voice=scores["voices"],
        curve=curve(history),
        course={
            f"{column}_{name}": round(float(history[column].iloc[at]), 2)
            for column in ("loss", "valid_loss")
            for name, at in (("first", 0), ("last", -1))
        },
        settings=yaml.safe_dump(settings.model_dump(exclude={"reproduce"}), sort_keys=False),
        versions=yaml.safe_dump(environment.versions(), sort_keys=False),
    )
    with atomic.output(PAGE) as fresh:
        fresh.write_text(html, "utf-8")


def description(
    name: str, composition: Piece, settings: params.Compose
) -> tuple[str, dict[str, object]]:
    """Which of the page's texts describes a piece, and what to fill in there."""
    if name in ("prompt", "original"):
        rows = len(composition.grid)
        return f"{name}_about", {"rows": rows, "title": composition.title}
    if name in settings.samples:
        sample = settings.samples[name]
        text = "sample_about" if sample.temperature else "greedy_about"
        return text, {"rows": sample.rows, "temperature": sample.temperature}
    return "", {"heading": composition.title}


def pack(name: str, sample: bool, assets: page.Assets, folder: Path) -> tuple[float, int]:
    """Pack the files of a piece for the page; its pages go into the folder too.

    Returns the seconds of its sound, and how many pages its score has.
    """
    wav = SAMPLES / f"{name}.wav"
    seconds = assets.add_sound(f"{name}.flac" if sample else f"{name}.mp3", wav, lossless=sample)
    musicxml = (SAMPLES / f"{name}.musicxml").read_text("utf-8")
    pages = engraving.pages(musicxml)
    for number, picture in enumerate(pages, start=1):
        (folder / f"{name}-{number}.svg").write_text(picture, "utf-8")
        assets.add(f"{name}-{number}.svg", "image/svg+xml", picture.encode())
    if sample:
        assets.add(f"{name}.mid", "audio/midi", (SAMPLES / f"{name}.mid").read_bytes())
        kind = "application/vnd.recordare.musicxml+xml"
        assets.add(f"{name}.musicxml", kind, musicxml.encode())
    return seconds, len(pages)


def draw(name: str, composition: Piece, prompt_rows: int, folder: Path) -> str:
    """Draw the piano roll of a piece, into the folder and for the page."""
    table = pd.read_csv(PROBABILITIES / f"{name}.csv", index_col="row")
    drawn = piano_roll.draw(composition.grid, table.to_numpy(), prompt_rows)
    (folder / f"{name}-piano-roll.svg").write_text(drawn, "utf-8")
    return drawn


def curve(history: pd.DataFrame) -> str:
    """The learning curve, a line for each member."""
    members = [rows for _, rows in history.groupby("member")]
    return line_chart.lines(
        {
            f"{which}_loss": [
                list(zip(rows["epoch"], rows[column], strict=True)) for rows in members
            ]
            for which, column in (("train", "loss"), ("valid", "valid_loss"))
        }
    )


if __name__ == "__main__":
    errors.run(main)
