"""judge: is it Bach? The music of the model and of Bach, judged by the same code."""

import json
from collections.abc import Hashable, Mapping
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd

from kantor import chorale, params, planning
from kantor.data import plans, records
from kantor.data.records import Record
from kantor.evaluation import baselines, cheaters, one_step
from kantor.judging import discriminator, figures
from kantor.judging.figures import DISTANCE, GRADE, Set
from kantor.judging.grade import FEATURES, Reference
from kantor.network import model_file
from kantor.sampling import composing, sampler
from kantor.system import atomic, errors, runtime

CHORALES = Path("data/chorales")
RECORDS = Path("data/records")
MODEL = Path("models/chorale.keras")
MUSIC = Path("reports/music.json")
TABLES = Path("reports/music")

Grids = list[np.ndarray]
PLAIN, PREFERRED = "plain", "preferred"


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    judge = settings.judge
    network = model_file.load_predicting(MODEL)
    train = list(chorale.read_split(CHORALES, "train").values())
    held_out = ("valid", "test") if records.dataset(RECORDS)["held_out_test"] else ("valid",)
    bach = {f"bach_{name}": chorale.read_split(CHORALES, name) for name in held_out}
    *_, standard = bach
    drawn = drawn_plans(judge)

    reference = Reference.fit(train)
    options = {PLAIN: judge.plain, PREFERRED: settings.preferred}
    at_temperatures = {
        (temperature, name): one.model_copy(update={"temperature": temperature})
        for temperature in judge.temperatures
        for name, one in options.items()
    }
    few = drawn[: judge.temperature_pieces]
    wanted = {name: (one, drawn) for name, one in options.items()}
    # All at once, since it takes longer to compile what composes than to compose.
    composed = compose(
        network, wanted | {key: (one, few) for key, one in at_temperatures.items()}, judge
    )
    pieces = {name: composed[name] for name in options}
    others = cheating(list(bach[standard].values()), train, list(map(len, drawn)), judge)
    pieces |= others | {name: list(split.values()) for name, split in bach.items()}
    sets = {}
    for name, grids in pieces.items():
        # What was cut has no end of its own.
        whole = [len(grid) <= judge.rows for grid in grids]
        cut = [grid[: judge.rows] for grid in grids]
        sets[name] = figures.measure(cut, whole, reference, train)

    music = {
        name: summary(sets[name], sets[standard], judge)
        for name in sets
        if name not in (*others, standard)
    }
    originals = records.read_split(RECORDS, "valid", "pieces")
    music["one_step"] = one_step.compare(network, originals, judge)
    with atomic.output(MUSIC) as fresh:
        fresh.write_text(json.dumps(music, indent=2) + "\n")
    by_set = pd.DataFrame({name: one.figures() for name, one in sets.items()})
    tables = {
        "figures": by_set.rename_axis("figure").reset_index(),
        "grade": distances(by_set, standard),
        "given_away": discriminator.ranked(sets[standard].each(), sets[PREFERRED].each()),
        "temperature": temperatures(
            {key: composed[key] for key in at_temperatures}, reference
        ).assign(bach=by_set[standard][GRADE]),
    }
    with atomic.output(TABLES) as folder:
        folder.mkdir()
        for name, table in tables.items():
            path = folder / f"{name}.csv"
            table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def compose(
    network: runtime.keras.Model,
    wanted: Mapping[Hashable, tuple[params.SamplerOptions, list[np.ndarray]]],
    judge: params.Judge,
) -> dict[Hashable, Grids]:
    """Sets of pieces from nothing, each with its options and after its plans; the n-th piece of
    each from the same draws.
    """
    requests = [
        sampler.Request(None, len(plan), sampler.seed_for(judge.seed, number), options, plan)
        for options, asked in wanted.values()
        for number, plan in enumerate(asked)
    ]
    grids = iter(composing.compose(network, requests))
    return {key: list(islice(grids, len(asked))) for key, (_, asked) in wanted.items()}


def drawn_plans(judge: params.Judge) -> list[np.ndarray]:
    """The plans of the pieces that are composed, as `kantor compose` draws them, of no more than
    `judge.rows` rows.
    """
    of_bach = planning.outlines(
        plan for plan in plans.read(CHORALES, "train") if len(plan) <= judge.rows
    )
    return [
        planning.build(params.Wish(), of_bach, (judge.seed, number))[: judge.rows]
        for number in range(judge.pieces)
    ]


def cheating(bach: Grids, train: Grids, wanted: list[int], judge: params.Judge) -> dict[str, Grids]:
    """What the figures can be fooled by: sets by trivial means."""
    parts = [Record(chorale.encode(grid), number, 0) for number, grid in enumerate(train)]
    bigram = baselines.bigram(parts, judge.bigram_smoothing)
    return {
        "bigram": cheaters.drawn(bigram, wanted, judge.seed),
        "shuffled": [
            cheaters.shuffled(grid, judge.shuffled, sampler.seed_for(judge.seed, number))
            for number, grid in enumerate(islice(cycle(bach), len(wanted)))
        ],
        "copied": [cheaters.copied(grid) for grid in islice(cycle(train), len(wanted))],
    }


def summary(one: Set, standard: Set, judge: params.Judge) -> dict[str, object]:
    """The figures of a set with their intervals and Bach's beside them, and its AUC."""
    own = one.intervals(judge.draws, judge.seed)
    own["bach"] = standard.figures()
    rows = {name: row.round(4).to_dict() for name, row in own.iterrows()}
    auc = discriminator.compare(standard.each(), one.each(), judge.draws, judge.seed)
    return rows | ({"auc": {name: round(x, 4) for name, x in auc._asdict().items()}} if auc else {})


def distances(by_set: pd.DataFrame, standard: str) -> pd.DataFrame:
    """The nine parts of the grade of Bach and of both settings, a row for each part."""
    parts = by_set.loc[[DISTANCE + part for part in FEATURES], [standard, PLAIN, PREFERRED]]
    parts.columns = ["bach", PLAIN, PREFERRED]
    return parts.assign(part=FEATURES).reset_index(drop=True)[["part", *parts.columns]]


def temperatures(sets: Mapping[tuple[float, str], Grids], reference: Reference) -> pd.DataFrame:
    """The mean grade over temperature, of sets of pieces by temperature and setting."""
    rows: dict[float, dict[str, float]] = {}
    for (temperature, name), grids in sets.items():
        grade = float(np.mean([reference.grade(grid) for grid in grids]))
        rows.setdefault(temperature, {"temperature": temperature})[name] = grade
    return pd.DataFrame(rows.values())


if __name__ == "__main__":
    errors.run(main)
