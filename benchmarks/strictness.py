"""What it costs to make parallels less likely, and what it is worth.

    python -m benchmarks.strictness 0 1 2 3

For each `model.row_gru.strictness`, of the model as it is trained: the loss of the validation
pieces with the plan unknown, rows with parallels of those composed after Bach's, and parallels per
100 onsets in pieces from nothing, at `judge.plain` and as preferred. It is about `row_gru`, trained
with the params.yaml that is there (`dvc repro train`).
"""

import argparse

from kantor import params
from kantor.data import records
from kantor.evaluation import likelihood, one_step
from kantor.judging import counterpoint
from kantor.network import model, model_file, registry, voice_leading
from kantor.system import errors, runtime
from stages import judge


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strictness")
    parser.add_argument("strictness", nargs="+", type=float)
    arguments = parser.parse_args()
    settings = params.load()
    runtime.pin(settings.threads)
    pieces = records.read_split(judge.RECORDS, "valid", "pieces")
    asked = judge.drawn_plans(settings.judge)
    options = {judge.PLAIN: settings.judge.plain, judge.PREFERRED: settings.preferred}
    wanted = {name: (one, asked) for name, one in options.items()}
    network = model_file.load_predicting(judge.MODEL)
    members = model.parts(network).members
    trained_with = registry.configured(settings.model)[1].strictness
    for member in members:
        voice_leading.forbid(member, -trained_with)
    as_learnt = network.get_weights()
    print("strictness | loss | one step | " + " | ".join(options))
    for strictness in arguments.strictness:
        network.set_weights(as_learnt)
        for member in members:
            voice_leading.forbid(member, strictness)
        notes = likelihood.predictions(pieces, likelihood.model_predictor(network))
        single = one_step.compare(network, pieces, settings.judge)
        cells = [f"{strictness:g}", f"{notes['loss'].mean():.4f}", f"{single['parallels']:.2%}"]
        for grids in judge.compose(network, wanted, settings.judge).values():
            counted = counterpoint.total(map(counterpoint.counts, grids))
            cells.append(f"{counterpoint.rates(counted)['parallels']:.2f}")
        print(" | ".join(cells), flush=True)


if __name__ == "__main__":
    errors.run(main)
