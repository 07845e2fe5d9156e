"""report: the listening page, and by themselves the scores and piano rolls that are on it."""

import json
import math
from pathlib import Path

import pandas as pd
import yaml

from kantor import (
    catalogue,
    chart,
    chorale,
    engraving,
    environment,
    errors,
    files,
    page,
    params,
    roll,
)
from kantor.progress import Progress

CORPUS = Path("data/chorales/corpus.csv")
SAMPLES = Path("reports/samples")
PROBABILITIES = Path("reports/probabilities")
METRICS = Path("reports/metrics.json")
TRAINING = Path("reports/evaluation/training.csv")
PICTURES = Path("reports/pictures")
PAGE = Path("reports/index.html")
COLUMNS = ("loss", "accuracy", "onset_loss", "onset_accuracy")


def main() -> None:
    settings = params.load()
    chosen = settings.render
    samples = ["prompt", *chosen.samples, "original"]
    chorales = sorted(path.stem for path in SAMPLES.glob("train_*.wav"))
    assets, known = page.Assets(), facts(chosen)

    with (
        files.whole(PICTURES) as folder,
        Progress("lay out", len(samples + chorales), "pieces") as progress,
    ):
        folder.mkdir()
        pieces = {}
        for name in samples + chorales:
            pieces[name] = lay_out(name, known[name], chosen.prompt.rows, assets, folder)
            progress.advance()

    metrics, history = json.loads(METRICS.read_text()), pd.read_csv(TRAINING)
    split = "test" if metrics["held_out_test"] else "valid"
    scored = metrics[split]
    html = page.build(
        assets,
        samples=[pieces[name] for name in samples],
        chorales=[pieces[name] for name in chorales],
        tempo=chosen.tempo,
        voices=chorale.VOICES,
        facts={
            "split": split,
            "chorales": metrics["sizes"][split]["chorales"],
            "none": round(math.log(chorale.VOCABULARY), 2),
        },
        columns=COLUMNS,
        table={
            "pieces": scored["pieces"],
            "windows": scored["windows"],
            "bigram": scored["baselines"]["bigram"],
            # Repeating is wrong at every onset, and gives no probabilities.
            "copy": dict.fromkeys(COLUMNS) | scored["baselines"]["copy"] | {"onset_accuracy": 0.0},
        },
        by_voice=scored["voices"],
        curve=curve(history),
        course={
            f"{column}_{name}": round(float(history[column].iloc[at]), 2)
            for column in ("loss", "valid_loss")
            for name, at in (("first", 0), ("last", -1))
        },
        settings=yaml.safe_dump(settings.model_dump(exclude={"reproduce"}), sort_keys=False),
        versions=yaml.safe_dump(environment.versions(), sort_keys=False),
    )
    with files.whole(PAGE) as fresh:
        fresh.write_text(html, "utf-8")


def facts(chosen: params.Render) -> dict[str, tuple[str, dict[str, object]]]:
    """By name of a piece: which text describes it, and what to fill in there."""
    corpus = catalogue.read(CORPUS)
    of_split = [row for (split, _), row in corpus.items() if split == chosen.prompt.split]
    title = catalogue.heading(of_split[chosen.prompt.chorale])
    rows = len(chorale.read(SAMPLES / "original.csv"))
    described = {
        "prompt": ("prompt_about", {"rows": chosen.prompt.rows, "title": title}),
        "original": ("original_about", {"rows": rows, "title": title}),
    }
    for name, sample in chosen.samples.items():
        text = "sample_about" if sample.temperature else "greedy_about"
        described[name] = (text, {"rows": sample.rows, "temperature": sample.temperature})
    for (split, index), row in corpus.items():
        if split == "train":
            described[f"train_{index:03d}"] = ("", {"heading": catalogue.heading(row)})
    return described


def lay_out(
    name: str,
    described: tuple[str, dict[str, object]],
    prompt_rows: int,
    assets: page.Assets,
    folder: Path,
) -> page.Piece:
    """Draw a piece, into the folder and for the page, and pack its files."""
    sample = not name.startswith("train_")
    wav = SAMPLES / f"{name}.wav"
    seconds = assets.add_sound(f"{name}.flac" if sample else f"{name}.mp3", wav, lossless=sample)
    musicxml = (SAMPLES / f"{name}.musicxml").read_text("utf-8")
    pages = engraving.pages(musicxml)
    for number, picture in enumerate(pages, start=1):
        (folder / f"{name}-{number}.svg").write_text(picture, "utf-8")
        assets.add(f"{name}-{number}.svg", "image/svg+xml", picture.encode())

    grid = chorale.read(SAMPLES / f"{name}.csv")
    given = pd.read_csv(PROBABILITIES / f"{name}.csv", index_col="row").to_numpy()
    drawn = roll.draw(grid, given, prompt_rows if sample else 0)
    (folder / f"{name}-roll.svg").write_text(drawn, "utf-8")
    if sample:
        assets.add(f"{name}.mid", "audio/midi", (SAMPLES / f"{name}.mid").read_bytes())
        kind = "application/vnd.recordare.musicxml+xml"
        assets.add(f"{name}.musicxml", kind, musicxml.encode())
    return page.Piece(name, *described, seconds, len(pages), drawn)


def curve(history: pd.DataFrame) -> str:
    """The learning curve, a line for each network."""
    networks = [of for _, of in history.groupby("member")]
    return chart.lines(
        {
            f"{which}_loss": [list(zip(of["epoch"], of[column], strict=True)) for of in networks]
            for which, column in (("train", "loss"), ("valid", "valid_loss"))
        }
    )


if __name__ == "__main__":
    errors.run(main)
