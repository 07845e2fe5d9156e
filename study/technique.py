"""A stage of study/dvc.yaml: train and score one variant with one seed.

    python -m study.technique lstm_128 1

Its figures go to study/results, as an output of DVC; how long it took goes to
reports/study/seconds.csv, which is none, since that is never the same twice.
"""

import json
import shutil
import sys

import study
from kantor.system import atomic, errors
from study import run, windows

RESULTS = run.PROJECT / "study/results"
SECONDS = run.PROJECT / "reports/study/seconds.csv"


def main() -> None:
    name, seed = sys.argv[1], int(sys.argv[2])
    data = run.prepared(None)
    folder, seconds = run.train(name, seed, study.variants()[name], data)
    figures = windows.scored(folder)
    with atomic.output(RESULTS / f"{name}-{seed}") as fresh:
        fresh.mkdir()
        (fresh / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
        shutil.copy(folder / "reports/training.csv", fresh)
    row = {"variant": name, "seed": seed, "seconds": seconds}
    run.put([row], SECONDS, ["variant", "seed"])


if __name__ == "__main__":
    errors.run(main)
