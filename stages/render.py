"""render: compose the samples; turn them and the chorales into sound, scores and CSV."""

from pathlib import Path

import numpy as np
import pandas as pd

from kantor import (
    catalogue,
    chorale,
    errors,
    files,
    model_file,
    music,
    params,
    records,
    runtime,
    sampling,
    scoring,
)
from kantor.progress import Progress

CHORALES = Path("data/chorales")
MODEL = Path("models/chorale.keras")
SAMPLES = Path("reports/samples")
PROBABILITIES = Path("reports/probabilities")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    chosen = settings.render
    network = model_file.load(MODEL)
    pieces = {**composed(network, chosen), **training(chosen.training_chorales)}

    with files.whole(SAMPLES) as folder, Progress("write", len(pieces), "pieces") as progress:
        folder.mkdir()
        for name, piece in pieces.items():
            music.write(piece, folder / name, chosen)
            progress.advance()
    with files.whole(PROBABILITIES) as folder:
        folder.mkdir()
        given = probabilities(network, [piece.grid for piece in pieces.values()])
        for name, table in zip(pieces, given, strict=True):
            table.to_csv(folder / f"{name}.csv", float_format="%.4f", lineterminator="\n")


def composed(network: runtime.keras.Model, chosen: params.Render) -> dict[str, music.Music]:
    """By name: the prompt, the original that it is from, and the samples that go on from it."""
    original = pick(chosen.prompt)
    prompt = original.grid[: chosen.prompt.rows]
    grids = sampling.generate(
        network,
        [
            sampling.Piece(
                chorale.encode(prompt),
                sample.rows,
                sampling.own_seed(chosen.seed, *name.encode()),
                sample.temperature,
                sample.top_k,
                sample.top_p,
            )
            for name, sample in chosen.samples.items()
        ],
    )
    samples = {
        name: music.Music(
            chorale.decode(grid),
            f"{name.capitalize()}, temperature {sample.temperature:g}",
            known=original.known,
        )
        for (name, sample), grid in zip(chosen.samples.items(), grids, strict=True)
    }
    return {
        "prompt": original._replace(grid=prompt),
        "original": original._replace(grid=original.grid[: chosen.original_rows]),
        **samples,
    }


def training(count: int) -> dict[str, music.Music]:
    """The first so many training chorales."""
    first = list(chorale.read_split(CHORALES, "train").items())[:count]
    known = catalogue.read(CHORALES / "corpus.csv")
    return {
        f"train_{index:03d}": music.of_bach(grid, known["train", index]) for index, grid in first
    }


def pick(prompt: params.Prompt) -> music.Music:
    """The chorale that the prompt is taken from."""
    of_split = list(chorale.read_split(CHORALES, prompt.split).items())
    if prompt.chorale >= len(of_split):
        raise errors.KantorError(
            f"params.yaml: render.prompt.chorale is {prompt.chorale}; expected a place in the "
            f"{prompt.split} split, 0 to {len(of_split) - 1}"
        )
    index, grid = of_split[prompt.chorale]
    if prompt.rows > len(grid):
        raise errors.KantorError(
            f"params.yaml: render.prompt.rows is {prompt.rows}; that chorale has {len(grid)} rows"
        )
    known = catalogue.read(CHORALES / "corpus.csv")
    return music.of_bach(grid, known[prompt.split, index])


def probabilities(network: runtime.keras.Model, grids: list[np.ndarray]) -> list[pd.DataFrame]:
    """What probability the model gives each note, a row each and a column for each voice; none
    for the first, before which there is nothing.
    """
    parts = [records.Record(chorale.encode(grid), n, 0) for n, grid in enumerate(grids)]
    notes = scoring.foretold(parts, scoring.of_model(network, "probabilities"))
    notes["given"] = np.exp(-notes["loss"])
    tables = notes.pivot(index=["chorale", "row"], columns="voice", values="given")
    tables.columns = list(chorale.VOICES)
    return [tables.loc[number] for number in range(len(grids))]


if __name__ == "__main__":
    errors.run(main)
