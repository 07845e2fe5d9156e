"""compose: the samples, beside chorales of Bach, and how likely the model finds each note."""

from pathlib import Path

import numpy as np
import pandas as pd

from kantor import chorale, details, metadata, params, plan, planning
from kantor.data import melodies, plans, records
from kantor.evaluation import likelihood
from kantor.judging.grade import Reference
from kantor.network import model_file
from kantor.notation import melody, piece
from kantor.notation.piece import BACH, Piece
from kantor.sampling import completions, composing, posterior, sampler, strikes
from kantor.sampling.fragments import Fragment
from kantor.system import atomic, errors, runtime

CHORALES = Path("data/chorales")
MODEL = Path("models/chorale.keras")
STRIKES = Path("models/strikes.keras")
COMPOSITIONS = Path("reports/compositions")
PROBABILITIES = Path("reports/probabilities")

Corpus = dict[tuple[str, int], metadata.Metadata]


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    network, striking = model_file.load_predicting(MODEL), model_file.load_striking(STRIKES)
    corpus = metadata.read(CHORALES / "corpus.csv")
    original = prompted_from(settings.compose.prompt, corpus)
    train = chorale.read_split(CHORALES, "train")
    prompt = original.first(settings.compose.prompt.rows)
    excerpt = original.first(settings.compose.original_rows)
    pieces = {
        "prompt": prompt,
        "original": excerpt,
        **harmonised(network, striking, settings, excerpt, plan_of(original)),
        **samples(network, striking, settings.compose, prompt, plan_of(original)),
        **showcase(
            network,
            striking,
            settings.compose,
            settings.preferred,
            Reference.fit([*train.values()]),
        ),
        **training_chorales(settings.compose.training_chorales, train, corpus),
    }
    with atomic.output(COMPOSITIONS) as folder:
        folder.mkdir()
        piece.save(pieces, folder)
    with atomic.output(PROBABILITIES) as folder:
        folder.mkdir()
        tables = probabilities(network, [piece.grid for piece in pieces.values()])
        for name, table in zip(pieces, tables, strict=True):
            table.to_csv(folder / f"{name}.csv", float_format="%.4f", lineterminator="\n")


def samples(
    network: runtime.keras.Model,
    striking: runtime.keras.Model,
    settings: params.Compose,
    prompt: Piece,
    whole: np.ndarray,
) -> dict[str, Piece]:
    """The samples by name, which go on from the prompt, in its key and its bars, as the plan of
    the `whole` chorale (rows, 6) tells them.
    """
    requests = [
        sampler.Request(
            prompt.grid,
            sample.rows,
            sampler.seed_for(settings.seed, *name.encode()),
            sample,
            plan.continued(whole[: len(prompt.grid)], sample.rows),
        )
        for name, sample in settings.samples.items()
    ]
    grids = composing.compose(network, requests)
    all_details = strikes.detailed(striking, grids, requests, prompt.struck)
    return {
        name: Piece(
            grid,
            f"{name.capitalize()}, temperature {sample.temperature:g}",
            metadata=prompt.metadata,
            details=own,
        )
        for (name, sample), grid, own in zip(
            settings.samples.items(), grids, all_details, strict=True
        )
    }


def showcase(
    network: runtime.keras.Model,
    striking: runtime.keras.Model,
    settings: params.Compose,
    options: params.SamplerOptions,
    reference: Reference,
) -> dict[str, Piece]:
    """Whole pieces from nothing: of many, those nearest to the median by their grade."""
    wanted = settings.showcase
    of_bach = planning.outlines(plans.read(CHORALES, "train"))
    drawn = [
        planning.build(wanted.wish, of_bach, (settings.seed, number))
        for number in range(wanted.candidates)
    ]
    requests = [
        sampler.Request(None, len(asked), sampler.seed_for(settings.seed, number), options, asked)
        for number, asked in enumerate(drawn)
    ]
    grids = composing.compose(network, requests)
    grades = np.array([reference.grade(grid) for grid in grids])
    order = np.argsort(np.abs(grades - np.median(grades)), kind="stable")[: wanted.pieces]
    all_details = strikes.detailed(
        striking, [grids[number] for number in order], [requests[number] for number in order]
    )
    return {
        f"{params.SHOWCASE}{place}": Piece(
            grids[number],
            f"No. {number + 1} of {wanted.candidates}, grade {grades[number]:.1f}",
            metadata=planning.described(drawn[number], wanted.wish),
            details=own,
        )
        for place, (number, own) in enumerate(zip(order, all_details, strict=True), start=1)
    }


def harmonised(
    network: runtime.keras.Model,
    striking: runtime.keras.Model,
    settings: params.Params,
    excerpt: Piece,
    whole: np.ndarray,
) -> dict[str, Piece]:
    """Other voices composed to a melody of Bach's, that of an excerpt whose chorale has the plan
    `whole` (rows, 6), and to the tune.
    """
    tune = melody.read(Path(settings.compose.tune), chorale.VOICES[0])
    asked, described, _ = melodies.planned(tune, params.Wish())
    lines = {
        "melody": (excerpt.grid[:, 0], whole, excerpt.metadata, excerpt.details),
        "tune": (tune.line, asked, described, tune.details),
    }
    particle_filter = posterior.Filter(network, settings.completion.particles)
    pieces = {}
    for name, (line, asked, described, told) in lines.items():
        grid = np.full((len(line), len(chorale.VOICES)), plan.UNKNOWN)
        grid[:, 0] = line
        seed = sampler.seed_for(settings.compose.seed, *name.encode())
        fragment = Fragment(grid, seed, settings.completion, asked[: len(line)])
        complete = completions.different(particle_filter, fragment, 1)
        (own,) = completions.detailed(striking, complete, told)
        pieces[name] = Piece(complete[0].grid, name, metadata=described, details=own)
    return pieces


def training_chorales(count: int, train: dict[int, np.ndarray], corpus: Corpus) -> dict[str, Piece]:
    """The first `count` chorales of the training split, by name."""
    first = list(train.items())[:count]
    return {f"train_{index:03d}": of_bach("train", index, grid, corpus) for index, grid in first}


def prompted_from(prompt: params.Prompt, corpus: Corpus) -> Piece:
    """The chorale that the prompt is taken from."""
    chorales = list(chorale.read_split(CHORALES, prompt.split).items())
    if prompt.chorale >= len(chorales):
        raise errors.KantorError(
            f"params.yaml: compose.prompt.chorale is {prompt.chorale}; expected a place in the "
            f"{prompt.split} split, 0 to {len(chorales) - 1}"
        )
    index, grid = chorales[prompt.chorale]
    if prompt.rows > len(grid):
        raise errors.KantorError(
            f"params.yaml: compose.prompt.rows is {prompt.rows}; that chorale has {len(grid)} rows"
        )
    return of_bach(prompt.split, index, grid, corpus)


def plan_of(chorale: Piece) -> np.ndarray:
    """The plan (rows, 6) of a chorale of the edition."""
    extras = chorale.details or details.unknown(len(chorale.grid))
    return plans.plan(chorale.grid, extras, chorale.metadata)


def of_bach(split: str, index: int, grid: np.ndarray, corpus: Corpus) -> Piece:
    """A chorale of the edition as a piece."""
    description = corpus[split, index]
    path = CHORALES / chorale.file_name(split, index)
    return Piece(grid, description.heading, BACH, description, details.beside(path, len(grid)))


def probabilities(network: runtime.keras.Model, grids: list[np.ndarray]) -> list[pd.DataFrame]:
    """The probability that the model gives each note, a row each and a column for each voice;
    none for the first note, before which there is nothing.
    """
    parts = [records.Record(chorale.encode(grid), n, 0) for n, grid in enumerate(grids)]
    predict = likelihood.model_predictor(network)
    notes = likelihood.predictions(parts, predict)
    notes["probability"] = np.exp(-notes["loss"])
    tables = notes.pivot(index=["chorale", "row"], columns="voice", values="probability")
    tables.columns = list(chorale.VOICES)
    return [tables.loc[number] for number in range(len(grids))]


if __name__ == "__main__":
    errors.run(main)
