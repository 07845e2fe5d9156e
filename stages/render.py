"""render: compose the samples, and turn them and the chorales into sound and CSV."""

from pathlib import Path

import numpy as np

from kantor import chorale, errors, files, model_file, params, runtime, sampling, synth

CHORALES = Path("data/chorales")
MODEL = Path("models/chorale.keras")
OUTPUT = Path("reports/samples")


def main() -> None:
    settings = params.load()
    runtime.pin(settings.threads)
    chosen = settings.render

    with files.whole(OUTPUT) as folder:
        folder.mkdir()
        for name, grid in pieces(chosen, settings.seed).items():
            synth.write_piece(grid, folder / name, chosen)


def pieces(chosen: params.Render, seed: int) -> dict[str, np.ndarray]:
    """Grids by name: the prompt, its original, the composed samples, the training chorales."""
    original = pick(chosen.prompt)
    prompt = original[: chosen.prompt.rows]
    composed = sampling.generate(
        model_file.load(MODEL),
        [
            sampling.Piece(
                chorale.encode(prompt),
                sample.rows,
                sampling.own_seed(seed, *name.encode()),
                sample.temperature,
                sample.top_k,
                sample.top_p,
            )
            for name, sample in chosen.samples.items()
        ],
    )
    training = chorale.read_split(CHORALES, "train")
    first = list(training)[: chosen.training_chorales]
    return {
        "prompt": prompt,
        "original": original[: chosen.original_rows],
        **dict(zip(chosen.samples, map(chorale.decode, composed), strict=True)),
        **{f"train_{index:03d}": training[index] for index in first},
    }


def pick(prompt: params.Prompt) -> np.ndarray:
    """The chorale that the prompt is taken from."""
    of_split = list(chorale.read_split(CHORALES, prompt.split).values())
    if prompt.chorale >= len(of_split):
        raise errors.KantorError(
            f"params.yaml: render.prompt.chorale is {prompt.chorale}; expected a place in the "
            f"{prompt.split} split, 0 to {len(of_split) - 1}"
        )
    grid = of_split[prompt.chorale]
    if prompt.rows > len(grid):
        raise errors.KantorError(
            f"params.yaml: render.prompt.rows is {prompt.rows}; that chorale has {len(grid)} rows"
        )
    return grid


if __name__ == "__main__":
    errors.run(main)
