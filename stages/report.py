"""report: the listening page, and by themselves the scores and piano rolls that are on it."""

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
from kantor.system.errors import KantorError
from kantor.system.intermediate import again, check_numbers, read_json, read_table, reading
from kantor.system.progress import Progress
from kantor.training import history as training

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
# Where a loss is that high, no notes are predicted.
HIGHEST = {name: 1000 if name.endswith("loss") else 1 for name in COLUMNS}


def main() -> None:
    settings = params.load()
    compositions = loaded(settings.compose)
    samples = ["prompt", *settings.compose.samples]
    melody, *tunes = params.HARMONISED
    side_by_side = ("original", melody)
    showcase = [name for name in compositions if name.startswith(params.SHOWCASE)]
    elsewhere = (*samples, *side_by_side, *tunes, *showcase)
    chorales = [name for name in compositions if name not in elsewhere]
    folded = [
        name
        for name, sample in settings.compose.samples.items()
        if not 0 < sample.temperature <= HOTTEST
    ]
    # All that is read is checked before anything is drawn.
    metrics = read_json(METRICS, "evaluate")
    split, scores, page_facts = scored(metrics)
    history = training.read(TRAINING, "evaluate")
    figures = judged(split, settings.judge.pieces)
    for name, composition in compositions.items():
        piece.check_written(composition, SAMPLES / name, settings.render)
        probabilities(name, len(composition.grid))
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

    html = page.build(
        assets,
        showcase=[pieces[name] for name in showcase],
        preferred=settings.preferred.model_dump()
        | {"candidates": settings.compose.showcase.candidates},
        samples=[pieces[name] for name in samples if name not in folded],
        side_by_side=[pieces[name] for name in side_by_side],
        tunes=[pieces[name] for name in tunes],
        particles=settings.completion.particles,
        folded=[pieces[name] for name in folded],
        chorales=[pieces[name] for name in chorales],
        rows_a_minute=settings.render.tempo * chorale.ROWS_PER_QUARTER,
        voices=chorale.VOICES,
        facts=page_facts,
        columns=COLUMNS,
        **scores,
        curve=curve(history),
        **figures,
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


def loaded(settings: params.Compose) -> dict[str, Piece]:
    """What was composed, with all that the page shows."""
    pieces = piece.load(COMPOSITIONS)
    for name in ("prompt", "original", *params.HARMONISED, *settings.samples):
        if name not in pieces:
            raise KantorError(f"{COMPOSITIONS / piece.INDEX}: no piece {name}; {again('compose')}")
    return pieces


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


def scored(metrics: dict) -> tuple[str, dict[str, object], dict[str, object]]:
    """Of metrics.json: the split that is shown, its scores, and what the texts say of it."""
    with reading(METRICS, "evaluate"):
        split = "test" if metrics["held_out_test"] else "valid"
        scores = metrics[split]
        table = {
            "pieces": scores["pieces"],
            "windows": scores["windows"],
            "bigram": scores["baselines"]["bigram"],
            # Repeating is wrong at every onset, and gives no probabilities.
            "copy": dict.fromkeys(COLUMNS) | scores["baselines"]["copy"] | {"onset_accuracy": 0.0},
        }
        by_voice = {voice: scores["voices"][voice] for voice in chorale.VOICES}
        # What is not a number or not there is told now.
        for line in (table["pieces"], table["windows"], table["bigram"], *by_voice.values()):
            for column in COLUMNS:
                if isinstance(line[column], bool) or not 0 <= line[column] <= HIGHEST[column]:
                    raise ValueError(f"{column} is {line[column]!r:.40}")
        facts = {
            "split": split,
            "chorales": int(metrics["sizes"][split]["chorales"]),
            "none": round(math.log(chorale.VOCABULARY_SIZE), 2),
        }
    return split, {"table": table, "by_voice": by_voice}, facts


def judged(split: str, pieces: int) -> dict[str, object]:
    """What the page tells of the judge; Bach's side is this split, beside as many
    `pieces`.
    """
    music = read_json(MUSIC, "judge")
    paths = [JUDGED / f"{name}.csv" for name in ("figures", "given_away", "temperature")]
    bach = f"bach_{split}"
    table = read_table(paths[0], "judge", ["figure", bach, *JUDGES[1:]]).set_index("figure")
    given_away = read_table(paths[1], "judge", ["figure", "auc", "bach", "other"]).head(GIVEN_AWAY)
    lines_of = ["temperature", "plain", "preferred", "bach"]
    by_temperature = read_table(paths[2], "judge", lines_of)
    with reading(MUSIC, "judge"):
        auc = float(music["preferred"].get("auc", {"value": math.nan})["value"])
    with reading(paths[0], "judge"):
        table = table.rename(columns={bach: "bach"}).loc[list(FIGURES), list(JUDGES)].astype(float)
    with reading(paths[1], "judge"):
        check_numbers(given_away[["auc"]], paths[1], 0, 1)
    with reading(paths[2], "judge"):
        check_numbers(by_temperature[lines_of], paths[2], 0, math.inf)
    lines = {
        who: [list(zip(by_temperature["temperature"], by_temperature[who], strict=True))]
        for who in lines_of[1:]
    }
    return {
        "judges": JUDGES,
        "music": {
            name: {who: None if math.isnan(x) else x for who, x in table.loc[name].items()}
            for name in FIGURES
        },
        "judged": {
            "pieces": pieces,
            "auc": round(auc, 2),
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
    table = probabilities(name, len(composition.grid))
    drawn = piano_roll.draw(composition.grid, table.to_numpy(), prompt_rows, composition.struck)
    (folder / f"{name}-piano-roll.svg").write_text(drawn, "utf-8")
    return drawn


def probabilities(name: str, rows: int) -> pd.DataFrame:
    """How likely the model finds each note of a piece of so many rows, a column for each voice."""
    path = PROBABILITIES / f"{name}.csv"
    table = read_table(path, "compose", ["row", *chorale.VOICES])
    with reading(path, "compose"):
        if table.pop("row").tolist() != list(range(rows)):
            raise KantorError(f"{path}: {len(table)} rows; expected 0 to {rows - 1}")
        # Before the first note there is nothing that it could be predicted from.
        check_numbers(table.fillna({"soprano": 0}, limit=1), path, 0, 1)
    return table


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
