"""Train and score named settings, each in a folder of its own, by the pipeline's own stages.

    python -m study.run default best --seeds 1 2 3
    python -m study.run default --seeds 1 --archive jsb_chorales.tgz

A name is one of study/variants.yaml; `default` changes nothing. With `--archive`, a copy of
the published archive is the data instead of the default edition. What is there already, under
study/runs, is not done again, and a training that was killed goes on where it was. At the end
reports/study/runs.csv lists the results of all runs, one a row.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

import study
from kantor import errors, params, reproduce

PROJECT = Path(__file__).resolve().parent.parent
RUNS = PROJECT / "study/runs"
TABLE = PROJECT / "reports/study/runs.csv"


def main() -> None:
    variants = study.variants()
    parser = argparse.ArgumentParser(prog="python -m study.run", description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="+", choices=variants, metavar="variant")
    parser.add_argument("--seeds", nargs="+", type=int, default=[42])
    parser.add_argument("--archive", type=Path, help="a copy of the published archive")
    chosen = parser.parse_args()

    data = prepared(chosen.archive)
    for seed in chosen.seeds:
        for name in chosen.variants:
            run(name, seed, variants[name], data)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table().to_csv(TABLE, index=False, float_format="%.6g", lineterminator="\n")


def prepared(archive: Path | None) -> Path:
    """The folder of an edition, its records made if they are not there yet."""
    changes = {}
    if archive:
        changes = {"download.source": "archive", "download.archive.urls": [str(archive.resolve())]}
    folder = RUNS / ("archive" if archive else "music21")
    if not (folder / "data/records").exists():
        settle(folder, changes)
        stage("download", folder)
        stage("preprocess", folder)
    return folder


def run(name: str, seed: int, changes: dict[str, object], data: Path) -> None:
    """Train and score one variant with one seed, unless that is done."""
    folder = data / f"{name}-{seed}"
    settings = settle(folder, changes | {"seed": seed})
    done = folder / "done.json"
    if done.exists() and json.loads(done.read_text())["settings"] == settings:
        return
    print(f"{data.name}: {name}, seed {seed}", flush=True)
    if not (folder / "data").exists():
        (folder / "data").symlink_to(data / "data")
    started = time.monotonic()
    stage("train", folder)
    seconds = time.monotonic() - started
    stage("evaluate", folder)
    done.write_text(json.dumps({"settings": settings, "seconds": round(seconds)}))


def settle(folder: Path, changes: dict[str, object]) -> dict:
    """Write the folder's params.yaml; its content, checked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = shutil.copy(PROJECT / "params.yaml", folder / "params.yaml")
    reproduce.change(path, changes)
    return params.load(path).model_dump()


def stage(name: str, folder: Path) -> None:
    """Run a stage of the pipeline in another folder."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", f"stages.{name}"]
    if subprocess.run(command, cwd=folder, env=environment).returncode:
        raise errors.KantorError(f"{folder}: the stage {name} failed there")


def table() -> pd.DataFrame:
    """The results of all runs that are done."""
    rows = []
    for done in sorted(RUNS.glob("*/*/done.json")):
        metrics = json.loads((done.parent / "reports/metrics.json").read_text())
        variant, seed = done.parent.name.rsplit("-", 1)
        row = {"edition": done.parent.parent.name, "variant": variant, "seed": int(seed)}
        row["parameters"] = metrics["parameters"]
        row["training_seconds"] = json.loads(done.read_text())["seconds"]
        for split in ("valid", "test"):
            for protocol in ("pieces", "windows", "without_near_duplicates"):
                for figure in ("loss", "accuracy", "onset_accuracy"):
                    row[f"{split}_{protocol}_{figure}"] = metrics[split][protocol][figure]
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    errors.run(main)
