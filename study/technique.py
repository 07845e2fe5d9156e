"""A stage of study/dvc.yaml: train and score one variant with one seed.

    python -m study.technique lstm_128 1

Its figures go to study/results, as an output of DVC; how long it took goes to
reports/study/seconds.csv, which is none, since that is never the same twice.
"""

import argparse
import json
import shutil

import study
from kantor.system import atomic, errors
from study import run, windows

RESULTS = run.PROJECT / "study/results"
SECONDS = run.PROJECT / "reports/study/seconds.csv"


def main() -> None:
    variants = study.variants()
    parser = argparse.ArgumentParser(prog="python -m study.technique")
    parser.add_argument("variant", choices=variants, metavar="variant")
    parser.add_argument("seed", type=int)
    arguments = parser.parse_args()
    name, seed = arguments.variant, arguments.seed
    folder, seconds = run.train(name, seed, variants[name], run.prepared(None))
    figures = windows.scored(folder)
    with atomic.output(RESULTS / f"{name}-{seed}") as fresh:
        fresh.mkdir()
        (fresh / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
        shutil.copy(folder / "reports/training.csv", fresh)
    row = {"variant": name, "seed": seed, "seconds": seconds}
    run.put([row], SECONDS, ["variant", "seed"])


if __name__ == "__main__":
    errors.run(main)
