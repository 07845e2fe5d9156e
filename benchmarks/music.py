"""How good the music of models is that differ in their seed alone.

    python -m study.run default --seeds 1 2
    python -m benchmarks.music models/chorale.keras study/runs/default/*/models/chorale.keras
    python -m benchmarks.music models/chorale.keras --set preferred.guidance=0 preferred.top_p=0.5

Prints, with the settings of params.yaml or those that are set, the figures of pieces from nothing,
at `judge.plain` and as preferred, of Bach's test split, and of single rows after Bach's; with the
reports beside each model, its losses too.
"""

import argparse
import json
from pathlib import Path

from benchmarks import changes
from kantor import chorale, params
from kantor.data import records
from kantor.evaluation import one_step
from kantor.judging import discriminator, figures
from kantor.judging.grade import Reference
from kantor.network import model_file
from kantor.system import errors, runtime
from stages import judge

CHORALES = Path("data/chorales")
FIGURES = (
    *("parallels", "direct", "key_kept", "bar_phase", "proper_ends", "phrase_chords"),
    *("struck_semitones", "triads", "standstill", "grade", "copied"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.music")
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--pieces", type=int, default=154)
    changes.add(parser)
    arguments = parser.parse_args()
    pieces = {"judge.pieces": arguments.pieces}
    settings = params.load(changes=pieces | changes.read(arguments.set))
    runtime.pin(settings.threads)
    train = list(chorale.read_split(CHORALES, "train").values())
    bach = list(chorale.read_split(CHORALES, "test").values())
    originals = records.read_split(judge.RECORDS, "valid", "pieces")
    reference = Reference.fit(train)
    rows = settings.judge.rows
    standard = figures.measure(
        [grid[:rows] for grid in bach],
        [len(grid) <= rows for grid in bach],
        reference,
        train,
    )
    print("", *FIGURES, "AUC", sep=" | ")
    report("Bach, test", standard, None)
    asked = judge.drawn_plans(settings.judge)
    options = {judge.PLAIN: settings.judge.plain, judge.PREFERRED: settings.preferred}
    wanted = {name: (one, asked) for name, one in options.items()}
    for path in arguments.models:
        network = model_file.load_predicting(path)
        for name, grids in judge.compose(network, wanted, settings.judge).items():
            own = figures.measure(grids, [True] * len(grids), reference, train)
            auc = discriminator.compare(
                standard.each(), own.each(), settings.judge.draws, settings.judge.seed
            )
            report(f"{path}, {name}", own, auc)
        single = one_step.compare(network, originals, settings.judge)
        print(f"{path}: rows with a parallel after Bach's {single['parallels']:.2%}", flush=True)
        losses(path.parent.parent / "reports/metrics.json")


def report(name: str, measured: figures.Set, auc: discriminator.Auc | None) -> None:
    """Print a row of the table."""
    values = measured.figures()
    cells = [f"{values[figure]:.3f}" for figure in FIGURES]
    print(name, *cells, f"{auc.value:.3f}" if auc else "", sep=" | ", flush=True)


def losses(path: Path) -> None:
    """Print the losses of whole pieces that a metrics.json has."""
    if path.exists():
        metrics = json.loads(path.read_text())
        for split in ("valid", "test"):
            told = {name: metrics[split][name]["loss"] for name in ("pieces", "planned_pieces")}
            print(f"{path}, {split}, plan unknown and told: {told}")


if __name__ == "__main__":
    errors.run(main)
