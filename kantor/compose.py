"""Compose any number of pieces with the trained model, as sound, scores and CSV.

    python -m kantor.compose mine --count 8 --rows 112 --temperature 0.9
    python -m kantor.compose mine --prompt data/chorales/test/chorale_305.csv --prompt-rows 16

Without a prompt the model starts by itself. Piece n is the same however many are composed. The
sound is as `render` in params.yaml says.
"""

import argparse
from pathlib import Path

import numpy as np

from kantor import (
    catalogue,
    chorale,
    errors,
    files,
    model_file,
    music,
    notation,
    params,
    runtime,
    sampling,
)
from kantor.progress import Progress


def main() -> None:
    chosen = _arguments()
    settings = params.load()
    runtime.pin(settings.threads)
    if chosen.output.exists():
        raise errors.KantorError(f"{chosen.output}: is there already; name a new folder")
    for name, least in {"count": 1, "seed": 0, "prompt_rows": 0}.items():
        if (value := getattr(chosen, name)) < least:
            option = name.replace("_", "-")
            raise errors.KantorError(f"--{option} is {value}; expected {least} or more")
    given, known = prompt(chosen.prompt, chosen.prompt_rows)
    pieces = [
        sampling.Piece(
            given,
            chosen.rows,
            sampling.own_seed(chosen.seed, number),
            chosen.temperature,
            chosen.top_k,
            chosen.top_p,
        )
        for number in range(chosen.count)
    ]
    composed = sampling.generate(model_file.load(chosen.model), pieces)
    digits = len(str(chosen.count - 1))
    with (
        files.whole(chosen.output) as folder,
        Progress("write", chosen.count, "pieces") as progress,
    ):
        folder.mkdir()
        for number, grid in enumerate(map(chorale.decode, composed)):
            name = f"{number:0{digits}d}"
            music.write(music.Music(grid, name, known=known), folder / name, settings.render)
            progress.advance()


def prompt(path: Path | None, rows: int) -> tuple[np.ndarray | None, dict[str, str]]:
    """The first rows of a chorale as CSV, MIDI or MusicXML, all if 0, as an arpeggio; and what
    is known of its key and metre, as in corpus.csv.
    """
    if path is None:
        return None, {}
    if path.suffix == ".csv":
        grid, known = chorale.read(path), catalogue.of(path)
    else:
        grid, known = notation.read(path), notation.known(path)
        chorale.check(grid, str(path))
    if rows > len(grid):
        raise errors.KantorError(f"--prompt-rows is {rows}; {path} has {len(grid)} rows")
    return chorale.encode(grid[: rows or len(grid)]), known


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m kantor.compose", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("output", type=Path, help="a folder that is not there yet")
    add("--count", type=int, default=1, help="pieces (1)")
    add("--rows", type=int, default=112, help="rows to compose, a sixteenth each (112)")
    add("--temperature", type=float, default=1.0, help="0 = always the likeliest note (1.0)")
    add("--top-k", type=int, default=0, help="only from so many likeliest notes; 0 = all (0)")
    add("--top-p", type=float, default=1.0, help="only from the likeliest of this share (1.0)")
    add("--prompt", type=Path, help="CSV, MIDI or MusicXML to go on from; without it, from nothing")
    add("--prompt-rows", type=int, default=0, help="only its first rows; 0 = all (0)")
    add("--seed", type=int, default=0, help="where the draws start (0)")
    add("--model", type=Path, default=Path("models/chorale.keras"), help="a trained model")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
