"""evaluate: score the model and the baselines on what it was not trained on."""

import json
import shutil
from pathlib import Path

import pandas as pd

from kantor import chorale, params
from kantor.data import records
from kantor.evaluation import baselines, duplicates, likelihood, strikes
from kantor.network import model, model_file
from kantor.system import atomic, errors, runtime
from kantor.training.history import read as read_history

RECORDS = Path("data/records")
MODEL = Path("models/chorale.keras")
STRIKES = Path("models/strikes.keras")
TRAINING = Path("reports/training.csv")
METRICS = Path("reports/metrics.json")
PLOTS = Path("reports/evaluation")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    dataset = records.dataset(RECORDS)
    network, striking = model_file.load_predicting(MODEL), model_file.load_striking(STRIKES)
    train = read("train", "pieces")
    bigram = baselines.bigram(train, settings.evaluate.bigram_smoothing)
    rates = strikes.rates(train)

    parts = model.parts(network)
    predict = likelihood.model_predictor(network)
    predict_planned = likelihood.planned_predictor(model.planned(parts)) if parts.plan else None

    history = read_history(TRAINING, "train")
    metrics = {
        "held_out_test": dataset["held_out_test"],
        "parameters": network.count_params(),
        "bytes": MODEL.stat().st_size,
        "epochs": int(history["epoch"].max()),
        "sizes": {
            split: {name: counts[name] for name in ("chorales", "rows", "notes", "windows")}
            for split, counts in dataset["splits"].items()
        },
    }
    # The plots show the last of these: the test split where it was held out.
    for split in [name for name in ("valid", "test") if name in dataset["splits"]]:
        pieces, windows = read(split, "pieces"), read(split, "windows")
        notes = likelihood.predictions(pieces, predict)
        baseline = likelihood.predictions(pieces, bigram)
        twins = duplicates.near_duplicates(
            pieces,
            train,
            rows=settings.evaluate.duplicate_rows,
            share=settings.evaluate.duplicate_share,
        )
        metrics[split] = {
            "pieces": likelihood.figures(notes),
            **planned_figures(pieces, predict_planned),
            "windows": likelihood.figures(likelihood.predictions(windows, predict)),
            "near_duplicates": len(twins),
            "without_near_duplicates": likelihood.figures(notes[~notes["chorale"].isin(twins)]),
            "voices": likelihood.by_voice(notes),
            "baselines": {
                "copy": {"accuracy": baselines.copy_accuracy(notes)},
                "bigram": likelihood.figures(baseline),
            },
        }
        if struck := strikes.figures(striking, pieces, rates):
            metrics[split]["strikes"] = struck

    with atomic.output(METRICS) as fresh:
        fresh.write_text(json.dumps(rounded(metrics), indent=2) + "\n")
    with atomic.output(PLOTS) as folder:
        folder.mkdir()
        write_plots(folder, notes, baseline, settings.evaluate.place_rows)
        shutil.copyfile(TRAINING, folder / "training.csv")


def read(split: str, protocol: str) -> list[records.Record]:
    """The split's pieces or windows."""
    return records.read_split(RECORDS, split, protocol)


def planned_figures(
    pieces: list[records.Record], predict: likelihood.PlannedPredictor | None
) -> dict[str, dict]:
    """How well a network predicts pieces whose plan it is told, as far as scores tell it; nothing
    for a network that reads no plans.
    """
    if predict is None:
        return {}
    plans = [piece.plan for piece in pieces]
    notes = likelihood.predictions(pieces, lambda tokens: predict(tokens, plans))
    return {"planned_pieces": likelihood.figures(notes)}


def write_plots(folder: Path, notes: pd.DataFrame, baseline: pd.DataFrame, place_rows: int) -> None:
    """Write the tables that DVC plots, of the predictions of the model and of the bigram."""
    both = {"model": notes, "bigram": baseline}
    place = {who: likelihood.by_place(frame, place_rows) for who, frame in both.items()}
    voices = {who: frame.groupby("voice")["loss"].mean() for who, frame in both.items()}
    tables = {
        "place": pd.DataFrame(place).reset_index(),
        "voices": pd.DataFrame(voices).rename(index=dict(enumerate(chorale.VOICES))).reset_index(),
        "kinds": likelihood.by_kind(notes, baseline),
        "intervals": likelihood.intervals(notes),
    }
    for name, table in tables.items():
        path = folder / f"{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def rounded(value: object) -> object:
    """Floats to six digits, all the way down: what lies beyond is noise of the machine."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 6) if isinstance(value, float) else value


if __name__ == "__main__":
    errors.run(main)
