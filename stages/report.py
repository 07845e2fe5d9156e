"""report: the listening page, and by themselves the scores and piano rolls that are on it."""

import json
import math
from pathlib import Path

import pandas as pd
import yaml

from kantor import chorale, params
from kantor.judging import counterpoint, words
from kantor.notation import engraving, marking, piece
from kantor.notation.piece import Piece
from kantor.report import line_chart, page, piano_roll
from kantor.system import atomic, environment, errors
from kantor.system.progress import Progress

COMPOSITIONS = Path("reports/compositions")
SAMPLES = Path("reports/samples")
PROBABILITIES = Path("reports/probabilities")
METRICS = Path("reports/metrics.json")
MUSIC = Path("reports/music.json")
JUDGED = Path("reports/music")
TRAINING = Path("reports/evaluation/training.csv")
PICTURES = Path("reports/pictures")
PAGE = Path("reports/index.html")
# Of the judge's figures those that are on the page, and of whom.
FIGURES = (
    "parallels",
    "key_kept",
    "bar_phase",
    "proper_ends",
    "struck_semitones",
    "triads",
    "standstill",
    "copied",
    "grade",
)
JUDGES = ("bach", "preferred", "plain", "bigram")
GIVEN_AWAY = 6  # figures that are listed
HOTTEST = 2.0  # what is hotter, or greedy, is folded away
COLUMNS = ("loss", "accuracy", "onset_loss", "onset_accuracy")


def main() -> None:
    settings = params.load()
    compositions = piece.load(COMPOSITIONS)
    samples = ["prompt", *settings.compose.samples]
    harmonised = ["original", *params.HARMONISED]
    showcase = [name for name in compositions if name.startswith(params.SHOWCASE)]
    chorales = [name for name in compositions if name not in (*samples, *harmonised, *showcase)]
    folded = [
        name
        for name, sample in settings.compose.samples.items()
        if not 0 < sample.temperature <= HOTTEST
    ]
    assets = page.Assets()

    with (
        atomic.output(PICTURES) as folder,
        Progress("lay out", len(compositions), "pieces") as progress,
    ):
        folder.mkdir()
        pieces = {}
        for name, composition in compositions.items():
            sample = name not in chorales
            prompt_rows = settings.compose.prompt.rows if name in samples else 0
            text, facts = description(name, composition, settings.compose)
            sound, pages = pack(name, composition, sample, assets, folder, settings.render)
            drawn = draw(name, composition, prompt_rows, folder)
            pieces[name] = page.PagePiece(name, text, facts, sound, pages, drawn)
            progress.advance()

    metrics, history = json.loads(METRICS.read_text()), pd.read_csv(TRAINING)
    split = "test" if metrics["held_out_test"] else "valid"
    scores = metrics[split]
    html = page.build(
        assets,
        showcase=[pieces[name] for name in showcase],
        preferred=settings.preferred.model_dump()
        | {"candidates": settings.compose.showcase.candidates},
        samples=[pieces[name] for name in samples if name not in folded],
        harmonised=[pieces[name] for name in harmonised],
        particles=settings.completion.particles,
        folded=[pieces[name] for name in folded],
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
        **judged(split, settings.judge.pieces),
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
    if name in ("prompt", "original", *params.HARMONISED):
        rows = len(composition.grid)
        return f"{name}_about", {"rows": rows, "title": composition.title}
    if name.startswith(params.SHOWCASE):
        rows = len(composition.grid)
        heading = f"{name.removeprefix(params.SHOWCASE)}. {composition.title}"
        return "showcase_about", {"rows": rows, "heading": heading}
    if name in settings.samples:
        sample = settings.samples[name]
        text = "sample_about" if sample.temperature else "greedy_about"
        return text, {"rows": sample.rows, "temperature": sample.temperature}
    return "", {"heading": composition.title}


def judged(split: str, pieces: int) -> dict[str, object]:
    """What the page tells of the judge; Bach's side is this split, beside as many
    `pieces`.
    """
    music = json.loads(MUSIC.read_text())
    table = pd.read_csv(JUDGED / "figures.csv", index_col="figure")
    table = table.rename(columns={f"bach_{split}": "bach"})[list(JUDGES)]
    given_away = pd.read_csv(JUDGED / "given_away.csv").head(GIVEN_AWAY)
    by_temperature = pd.read_csv(JUDGED / "temperature.csv")
    lines = {
        who: [list(zip(by_temperature["temperature"], by_temperature[who], strict=True))]
        for who in ("plain", "preferred", "bach")
    }
    return {
        "judges": JUDGES,
        "music": {
            name: {who: None if math.isnan(x) else x for who, x in table.loc[name].items()}
            for name in FIGURES
        },
        "judged": {
            "pieces": pieces,
            "auc": round(music["preferred"].get("auc", {"value": math.nan})["value"], 2),
            "grade": round(float(table["bach"]["grade"]), 1),
        },
        "given_away": given_away.to_dict("records"),
        "grades": line_chart.lines(lines),
    }


def pack(
    name: str,
    composition: Piece,
    sample: bool,
    assets: page.Assets,
    folder: Path,
    settings: params.Render,
) -> tuple[float, int]:
    """Pack the files of a piece for the page; its pages go into the folder too. The pages of a
    sample have marks where a teacher would make them.

    Returns the seconds of its sound, and how many pages its score has.
    """
    wav = SAMPLES / f"{name}.wav"
    seconds = assets.add_sound(f"{name}.flac" if sample else f"{name}.mp3", wav, lossless=sample)
    musicxml = (SAMPLES / f"{name}.musicxml").read_text("utf-8")
    marked = musicxml
    if sample:
        marks = words.marks(counterpoint.errors(composition.grid))
        marked = marking.musicxml(composition, marks, settings.tempo)
    pages = engraving.pages(marked)
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
    drawn = piano_roll.draw(composition.grid, table.to_numpy(), prompt_rows, composition.struck)
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
