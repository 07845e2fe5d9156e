"""The process of a trial: trains by the stage of the pipeline, and scores what came of it.

    python -m study.trial

It judges by the validation pieces, as evaluate scores them: the same for each architecture, and
several members by the mean of what they foretell.
"""

import json
from pathlib import Path

from kantor import errors, files, model_file, params, runtime, scoring
from stages import train

SCORES = Path("reports/valid.json")


def main() -> None:
    if train.REPORT.exists():  # it was killed while it was scored
        runtime.pin(params.load().threads)
    else:
        train.main()
    network = model_file.load(train.MODEL)
    notes = scoring.foretold(train.read("valid_pieces"), scoring.of_model(network, "valid pieces"))
    with files.whole(SCORES) as fresh:
        fresh.write_text(json.dumps(scoring.figures(notes)))


if __name__ == "__main__":
    errors.run(main)
