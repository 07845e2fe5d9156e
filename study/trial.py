"""The process of a trial: trains by the stage of the pipeline, and scores what came of it on the
validation pieces, as evaluate does.
"""

import json
from pathlib import Path

from kantor import params
from kantor.data import records
from kantor.evaluation import likelihood
from kantor.network import model_file
from kantor.system import atomic, errors, runtime
from stages import train


def main() -> None:
    if train.REPORT.exists():  # it was killed while it was scored
        runtime.pin(params.load().threads)
    else:
        train.main()
    predict = likelihood.model_predictor(model_file.load(train.MODEL))
    notes = likelihood.predictions(records.read_split(train.INPUT, "valid", "pieces"), predict)
    with atomic.output(Path("reports/valid.json")) as fresh:
        fresh.write_text(json.dumps(likelihood.figures(notes)))


if __name__ == "__main__":
    errors.run(main)
