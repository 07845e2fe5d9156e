"""Train and score named settings, each in a folder of its own, by the pipeline's own stages.

    python -m study.run default best --seeds 1 2 3
    python -m study.run default --seeds 1 --archive jsb_chorales.tgz

A name is one of study/variants; `default` changes nothing. The data is what `dvc repro
preprocess` left; with `--archive`, a copy of the published archive. What is there already, under
study/runs, from this data with these settings, is not done again, and a training that was killed
goes on where it was. The results go to reports/study/runs.csv, a row a run.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

import study
from kantor import params
from kantor.system import atomic, core_yaml, errors

PROJECT = Path(__file__).resolve().parent.parent
RUNS = PROJECT / "study/runs"
TABLE = PROJECT / "reports/study/runs.csv"


def main() -> None:
    variants = study.variants()
    parser = argparse.ArgumentParser(prog="python -m study.run", description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="+", choices=variants, metavar="variant")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42])
    parser.add_argument("--archive", type=Path, help="a copy of the published archive")
    arguments = parser.parse_args()

    data = prepared(arguments.archive)
    for seed in arguments.seeds:
        for name in arguments.variants:
            if not done(name, seed, variants[name], data):
                run(name, seed, variants[name], data)
            put([result(data, name, seed)], TABLE, ["edition", "variant", "seed"])


def prepared(archive: Path | None) -> Path:
    """The folder of an edition, with its records in `data`.

    Those of the archive are made unless they are there, with the settings of now; the others
    are the project's.
    """
    folder = RUNS / ("archive" if archive else "default")
    if archive:
        from_archive = {
            "download.source": "archive",
            "download.archive.urls": [str(archive.resolve())],
        }
        if not _prepared_so(folder, from_archive):
            shutil.rmtree(folder / "data", ignore_errors=True)
            settle(folder, from_archive)
            stage("download", folder)
            stage("preprocess", folder)
    elif (PROJECT / "data/records").exists():
        link(folder, PROJECT)
    else:
        raise errors.KantorError(f"{PROJECT}/data/records: none; run `dvc repro preprocess`")
    return folder


def _prepared_so(folder: Path, changes: dict[str, object]) -> bool:
    """Whether the records in a folder were made with these changes to the settings of now."""
    data = {"download", "preprocess"}
    wanted = params.load(PROJECT / "params.yaml", changes).model_dump(include=data)
    try:
        made_with = params.load(folder / "params.yaml").model_dump(include=data)
    except errors.KantorError:
        return False
    return made_with == wanted and (folder / "data/records").exists()


def done(name: str, seed: int, changes: dict[str, object], data: Path) -> bool:
    """Whether a variant was trained and scored with this seed, on the data and settings of now."""
    path = data / f"{name}-{seed}/done.json"
    settings = params.load(PROJECT / "params.yaml", changes | {"seed": seed})
    record = json.loads(path.read_text()) if path.exists() else {}
    return record.items() >= identity(settings, data).items()


def run(name: str, seed: int, changes: dict[str, object], data: Path) -> Path:
    """Train and score one variant with one seed; its folder, within that of the data."""
    folder, seconds = train(name, seed, changes, data)
    stage("evaluate", folder)
    settings = params.load(folder / "params.yaml")
    record = identity(settings, data) | {"seconds": seconds}
    with atomic.output(folder / "done.json") as fresh:
        fresh.write_text(json.dumps(record))
    return folder


def train(name: str, seed: int, changes: dict[str, object], data: Path) -> tuple[Path, int | None]:
    """Train one variant with one seed; its folder, and the seconds that it took.

    A training that was killed goes on; how long it took in all is then not known, None.
    """
    folder = data / f"{name}-{seed}"
    settle(folder, changes | {"seed": seed})
    print(f"{data.name}: {name}, seed {seed}", flush=True)
    link(folder, data)
    begun = (folder / "models/checkpoints").exists()
    started = time.monotonic()
    stage("train", folder)
    return folder, None if begun else round(time.monotonic() - started)


def identity(settings: params.Params, data: Path) -> dict[str, object]:
    """What a training and its scores depend on: settings, and a digest of the records."""
    relevant = {"seed", "threads", "model", "train", "evaluate"}
    records = digest((data / "data/records").iterdir())
    return {"settings": settings.model_dump(include=relevant), "records": records}


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files, their names and contents, in whatever order they come."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def link(folder: Path, data: Path) -> None:
    """Let a folder have the data of another."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").unlink(missing_ok=True)
    (folder / "data").symlink_to(data / "data")


def settle(folder: Path, changes: dict[str, object]) -> params.Params:
    """Write the folder's params.yaml; the settings in it, checked."""
    settings = params.load(PROJECT / "params.yaml", changes)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic.output(folder / "params.yaml") as fresh:
        fresh.write_text(core_yaml.dump(settings.model_dump()))
    return settings


def stage(name: str, folder: Path) -> None:
    """Run a stage of the pipeline in another folder."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", f"stages.{name}"]
    if subprocess.run(command, cwd=folder, env=environment).returncode:
        raise errors.KantorError(f"{folder}: the stage {name} failed there")


def result(data: Path, name: str, seed: int) -> dict[str, object]:
    """What came of a run that is done: its row of runs.csv."""
    folder = data / f"{name}-{seed}"
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    row = {"edition": data.name, "variant": name, "seed": seed}
    row["parameters"] = metrics["parameters"]
    row["training_seconds"] = json.loads((folder / "done.json").read_text())["seconds"]
    scored = [split for split in ("valid", "test") if split in metrics]
    for split in scored:
        for protocol in ("pieces", "windows", "without_near_duplicates"):
            for figure in ("loss", "accuracy", "onset_accuracy"):
                row[f"{split}_{protocol}_{figure}"] = metrics[split][protocol][figure]
    return row


def put(rows: list[dict[str, object]], table: Path, key: list[str]) -> None:
    """Put rows into a CSV table, in the place of those with the same key, in its order."""
    earlier = [pd.read_csv(table)] if table.exists() else []
    merged = pd.concat([*earlier, pd.DataFrame(rows)]).drop_duplicates(key, keep="last")
    table.parent.mkdir(parents=True, exist_ok=True)
    with atomic.output(table) as fresh:
        merged.sort_values(key).to_csv(fresh, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    errors.run(main)
