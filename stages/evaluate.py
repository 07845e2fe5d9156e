"""evaluate: score the model and the baselines on what it was not trained on."""

import json
import shutil
from pathlib import Path

import pandas as pd

from kantor import (
    chorale,
    duplicates,
    errors,
    files,
    model_file,
    params,
    records,
    runtime,
    scoring,
)

RECORDS = Path("data/records")
MODEL = Path("models/chorale.keras")
TRAINING = Path("reports/training.csv")
METRICS = Path("reports/metrics.json")
PLOTS = Path("reports/evaluation")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    dataset = records.dataset(RECORDS)
    network = model_file.load(MODEL)
    bigram = scoring.bigram(read("train", "pieces"), settings.evaluate.bigram_smoothing)

    history = pd.read_csv(TRAINING)
    metrics = {
        "held_out_test": dataset["held_out_test"],
        "parameters": network.count_params(),
        "bytes": MODEL.stat().st_size,
        "epochs": int(history["epoch"].max()),
        "sizes": {
            split: {name: of[name] for name in ("chorales", "rows", "notes", "windows")}
            for split, of in dataset["splits"].items()
        },
    }
    # The plots show the last of these: the test split where it was held out.
    for split in [name for name in ("valid", "test") if name in dataset["splits"]]:
        scored = {
            protocol: scoring.foretold(
                read(split, protocol), scoring.of_model(network, f"{split} {protocol}")
            )
            for protocol in ("pieces", "windows")
        }
        notes = scored["pieces"]
        baseline = scoring.foretold(read(split, "pieces"), bigram)
        twins = duplicates.among(
            read(split, "pieces"),
            read("train", "pieces"),
            rows=settings.evaluate.duplicate_rows,
            share=settings.evaluate.duplicate_share,
        )
        metrics[split] = {
            **{protocol: scoring.figures(of) for protocol, of in scored.items()},
            "near_duplicates": len(twins),
            "without_near_duplicates": scoring.figures(notes[~notes["chorale"].isin(twins)]),
            "voices": scoring.by_voice(notes),
            "baselines": {
                "copy": {"accuracy": scoring.copy_accuracy(notes)},
                "bigram": scoring.figures(baseline),
            },
        }

    with files.whole(METRICS) as fresh:
        fresh.write_text(json.dumps(rounded(metrics), indent=2) + "\n")
    rows = settings.evaluate.place_rows
    place = {"model": scoring.by_place(notes, rows), "bigram": scoring.by_place(baseline, rows)}
    voices = {
        "model": notes.groupby("voice")["loss"].mean(),
        "bigram": baseline.groupby("voice")["loss"].mean(),
    }
    with files.whole(PLOTS) as folder:
        folder.mkdir()
        write(folder / "place.csv", pd.DataFrame(place).reset_index())
        write(
            folder / "voices.csv",
            pd.DataFrame(voices).rename(index=dict(enumerate(chorale.VOICES))).reset_index(),
        )
        write(folder / "kinds.csv", scoring.by_kind(notes, baseline))
        write(folder / "intervals.csv", scoring.intervals(notes))
        shutil.copyfile(TRAINING, folder / "training.csv")


def read(split: str, protocol: str) -> list[records.Record]:
    """The split's pieces or windows."""
    return list(records.read(RECORDS / f"{split}_{protocol}.tfrecord"))


def write(path: Path, table: pd.DataFrame) -> None:
    """Write a table that DVC plots."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def rounded(value: object) -> object:
    """Floats to six digits, all the way down: what lies beyond is noise of the machine."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return round(value, 6) if isinstance(value, float) else value


if __name__ == "__main__":
    errors.run(main)
