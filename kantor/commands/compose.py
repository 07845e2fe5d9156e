"""Compose any number of pieces with the trained model, as sound, scores and CSV.

    kantor compose mine --count 8 --rows 112 --temperature 0.9
    kantor compose more --prompt mine/0.csv --prompt-rows 16 --top-p 0.95

Without a prompt the model starts by itself. Piece n is the same however many are composed.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from kantor.metadata import Metadata
    from kantor.params import Block


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("output", type=Path, help="a new folder")
    add("--count", type=int, default=1, help="pieces (1)")
    add("--rows", type=int, default=112, help="rows to compose, a sixteenth each (112)")
    # Without these it is preferred in params.yaml.
    add("--temperature", type=float, help="0 = always the likeliest note (as in params.yaml)")
    add("--top-k", type=int, help="draw from this many likeliest notes; 0 = all (the same)")
    add("--top-p", type=float, help="draw from the likeliest of this share; 1 = all (the same)")
    add("--prompt", type=Path, help="CSV, MIDI or MusicXML to go on from; without it, from nothing")
    add("--prompt-rows", type=int, default=0, help="only its first rows; 0 = all (0)")
    add("--seed", type=int, default=0, help="where the draws start (0)")
    add("--model", type=Path, default=Path("models/chorale.keras"), help="a trained model")
    add("--tempo", type=float, help="quarters a minute (as in params.yaml)")
    add("--timbre", help="organ or sine (as in params.yaml)")


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import params

    _check(arguments)
    settings = params.load()
    where = "kantor compose"
    options, render = (
        params.checked(type(block), block.model_dump() | _changes(arguments, block), where)
        for block in (settings.preferred, settings.render)
    )
    prompt, metadata = _prompt(arguments.prompt, arguments.prompt_rows)

    from kantor.network import model_file
    from kantor.notation.piece import Piece, write
    from kantor.sampling import sampler
    from kantor.system import atomic, runtime
    from kantor.system.progress import Progress

    requests = [
        sampler.Request(prompt, arguments.rows, sampler.seed_for(arguments.seed, number), options)
        for number in range(arguments.count)
    ]
    runtime.pin(settings.threads)
    grids = sampler.compose(model_file.load(arguments.model), requests)
    digits = len(str(arguments.count - 1))
    with (
        atomic.output(arguments.output) as folder,
        Progress("write", arguments.count, "pieces") as progress,
    ):
        folder.mkdir()
        for number, grid in enumerate(grids):
            name = f"{number:0{digits}d}"
            write(Piece(grid, name, metadata=metadata), folder / name, render)
            progress.advance()
    pieces = "1 piece" if arguments.count == 1 else f"{arguments.count} pieces"
    print(f"wrote {pieces} to {arguments.output}: .wav, .mid, .musicxml and .csv")


def _changes(arguments: argparse.Namespace, block: "Block") -> dict[str, object]:
    """The keys of a block of settings that the arguments give."""
    names = type(block).model_fields
    changes = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in changes.items() if value is not None}


def _check(arguments: argparse.Namespace) -> None:
    from kantor.system.errors import KantorError

    if arguments.output.exists():
        raise KantorError(f"{arguments.output}: is there already; name a new folder")
    for name, least in {"count": 1, "rows": 1, "seed": 0, "prompt_rows": 0}.items():
        if (value := getattr(arguments, name)) < least:
            option = name.replace("_", "-")
            raise KantorError(f"--{option} is {value}; expected {least} or more")
    if not arguments.model.exists():
        raise KantorError(f"{arguments.model}: no such model; run `dvc repro train`")


def _prompt(path: Path | None, rows: int) -> "tuple[np.ndarray | None, Metadata]":
    """The first rows of a chorale as CSV, MIDI or MusicXML, all if 0; and its metadata."""
    from kantor import metadata
    from kantor.notation import files
    from kantor.system.errors import KantorError

    if path is None:
        return None, metadata.Metadata()
    grid, description, _ = files.read(path)
    if rows > len(grid):
        raise KantorError(f"--prompt-rows is {rows}; {path} has {len(grid)} rows")
    return grid[: rows or len(grid)], description
