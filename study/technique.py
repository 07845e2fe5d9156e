"""A stage of study/dvc.yaml: train and score one variant with one seed.

    python -m study.technique lstm_128 1

Its figures go to study/results, as an output of DVC; how long it took goes to
reports/study/seconds.csv, which is none, since that is never the same twice.
"""

import json
import shutil
import sys

import study
from kantor import errors, files
from study import run

RESULTS = run.PROJECT / "study/results"
SECONDS = run.PROJECT / "reports/study/seconds.csv"
KEPT = ("reports/metrics.json", "reports/training.csv")


def main() -> None:
    name, seed = sys.argv[1], int(sys.argv[2])
    data = run.prepared(None)
    folder = run.run(name, seed, study.variants()[name], data)
    with files.whole(RESULTS / f"{name}-{seed}") as fresh:
        fresh.mkdir()
        for path in KEPT:
            shutil.copy(folder / path, fresh)
    # None is for one that was killed and went on.
    seconds = json.loads((folder / "done.json").read_text())["seconds"]
    row = {"variant": name, "seed": seed, "seconds": seconds}
    run.put([row], SECONDS, ["variant", "seed"])


if __name__ == "__main__":
    errors.run(main)
