"""Compose any number of pieces with the trained model, as sound, scores and CSV.

    kantor compose mine --count 8
    kantor compose mine --key "D minor" --metre 3/4 --pickup 1 --phrases 4,4,4,4 --bars 16
    kantor compose more --prompt mine/0.csv --prompt-rows 16 --top-p 0.95

Without a prompt the model starts by itself. Piece n is the same however many are composed.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from kantor.details import Details
    from kantor.metadata import Metadata
    from kantor.params import Block, Wish
    from kantor.sampling.sampler import Request

CHORALES = Path("data/chorales")
STRIKES = "strikes.keras"  # the network that says which notes are struck again, beside the model
# How long pieces are where no plan says it.
ROWS = 112
EXCLUDED = {
    "--plan none": ("key", "metre", "pickup", "phrases", "bars"),
    "--prompt": ("phrases", "bars"),
}


class Start(NamedTuple):
    """What pieces go on from: a grid, its plan and its struck cells, and what is known of it."""

    grid: "np.ndarray"
    plan: "np.ndarray"
    struck: "np.ndarray"
    metadata: "Metadata"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("output", type=Path, help="a new folder")
    add("--count", type=int, default=1, help="pieces (1)")
    add("--seed", type=int, default=0, help="where the draws start (0)")
    add("--model", type=Path, default=Path("models/chorale.keras"), help="a trained model")

    add = parser.add_argument_group(
        "what is asked for",
        "What is left open is as in one of Bach's chorales, drawn for each piece from those in\n"
        f"{CHORALES}/train that agree with the rest.",
    ).add_argument
    add("--key", help='such as "D minor", "Bb major" or "F# minor"')
    add("--metre", help="such as 4/4, 3/4 or 12/8")
    add("--pickup", type=float, metavar="QUARTERS", help="before the first whole bar")
    add("--phrases", type=_phrases, metavar="BARS", help="of each phrase, such as 4,4,2,4")
    add("--bars", type=int, help="of the piece; the pickup and the last bar together are one")
    add("--rows", type=int, help="a sixteenth each, to compose; with a prompt, after it (112)")
    add(
        "--plan",
        choices=("drawn", "none"),
        default="drawn",
        help="none: ask for nothing, neither key nor bars nor an end; 112 rows (drawn)",
    )

    add = parser.add_argument_group(
        "what a piece goes on from",
        "Key, metre and pickup are those that its file tells, unless others are asked for.",
    ).add_argument
    add("--prompt", type=Path, metavar="FILE", help="CSV, MIDI or MusicXML (nothing)")
    add("--prompt-rows", type=int, default=0, metavar="ROWS", help="its first rows; 0 = all (0)")

    add = parser.add_argument_group(
        "how notes are drawn, and how they sound", "By default as params.yaml says."
    ).add_argument
    add("--temperature", type=float, help="0 = always the likeliest note")
    add("--top-k", type=int, help="draw from this many likeliest notes; 0 = all")
    add("--top-p", type=float, help="draw from the likeliest of this share; 1 = all")
    add(
        "--rhythm",
        type=float,
        metavar="TEMPERATURE",
        help="of whether a voice moves, drawn first; the rest is then about where to",
    )
    add("--tempo", type=float, help="quarters a minute")
    add("--timbre", help="organ or sine")


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import params

    _check(arguments)
    settings = params.load()
    where = "kantor compose"
    options, render, wish = (
        params.checked(type(block), block.model_dump() | _changes(arguments, block), where)
        for block in (settings.preferred, settings.render, params.Wish())
    )
    start = _start(arguments.prompt, arguments.prompt_rows, wish) if arguments.prompt else None
    plans = _plans(arguments, wish, start)

    from kantor import planning
    from kantor.network import model_file
    from kantor.notation.piece import Piece, write
    from kantor.sampling import sampler
    from kantor.system import atomic, runtime
    from kantor.system.progress import Progress

    prompt = start.grid if start else None
    prompt_rows = len(start.grid) if start else 0
    requests = [
        sampler.Request(
            prompt, len(plan) - prompt_rows, sampler.seed_for(arguments.seed, number), options, plan
        )
        for number, plan in enumerate(plans)
    ]
    runtime.pin(settings.threads)
    grids = sampler.compose(model_file.load(arguments.model), requests)
    details = _details(arguments.model.with_name(STRIKES), grids, requests, start)
    digits = len(str(arguments.count - 1))
    with (
        atomic.output(arguments.output) as folder,
        Progress("write", arguments.count, "pieces") as progress,
    ):
        folder.mkdir()
        for number, (grid, plan, own) in enumerate(zip(grids, plans, details, strict=True)):
            name = f"{number:0{digits}d}"
            metadata = start.metadata if start else planning.described(plan, wish)
            write(Piece(grid, name, metadata=metadata, details=own), folder / name, render)
            progress.advance()
    pieces = "1 piece" if arguments.count == 1 else f"{arguments.count} pieces"
    print(f"wrote {pieces} to {arguments.output}: .wav, .mid, .musicxml and .csv")


def _phrases(text: str) -> list[int]:
    """The bars of phrases, written 4,4,2,4."""
    try:
        return [int(bars) for bars in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}; expected the bars of each phrase, such as 4,4,2,4"
        ) from None


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
        value = getattr(arguments, name)
        if value is not None and value < least:
            option = name.replace("_", "-")
            raise KantorError(f"--{option} is {value}; expected {least} or more")
    there = {"--plan none": arguments.plan == "none", "--prompt": arguments.prompt is not None}
    for other, names in EXCLUDED.items():
        for name in names:
            if there[other] and getattr(arguments, name) is not None:
                raise KantorError(f"--{name} and {other} exclude each other; leave one out")
    if not arguments.model.exists():
        raise KantorError(f"{arguments.model}: no such model; run `dvc repro train`")


def _start(path: Path, rows: int, wish: "Wish") -> Start:
    """The first rows of a chorale as CSV, MIDI or MusicXML, all if 0; what is wished replaces
    what its file tells.
    """
    from kantor import params, planning
    from kantor.data import plans
    from kantor.notation import files
    from kantor.plan import BAR, UNKNOWN
    from kantor.system.errors import KantorError

    grid, metadata, details = files.read(path)
    if rows > len(grid):
        raise KantorError(f"--prompt-rows is {rows}; {path} has {len(grid)} rows")
    told = {
        "key": f"{metadata.key} {metadata.mode}" if metadata.key and metadata.mode else None,
        "metre": metadata.metre or None,
        "pickup": metadata.pickup,
    }
    both = params.checked(params.Wish, told | wish.model_dump(exclude_none=True), str(path))
    plan = plans.plan(grid, details, metadata)
    # Details know of a change of metre, metadata don't.
    as_detailed = wish.metre is None and wish.pickup is None and (plan[:, BAR] != UNKNOWN).any()
    plan = planning.laid_over(plan, params.Wish(key=both.key) if as_detailed else both)
    described = planning.described(plan, both)
    if not wish.key:
        described = replace(described, signature=metadata.signature)
    end = rows or len(grid)
    return Start(grid[:end], plan[:end], details.struck[:end], described)


def _plans(arguments: argparse.Namespace, wish: "Wish", start: Start | None) -> "list[np.ndarray]":
    """The plan of each piece, its prompt included."""
    from kantor import plan, planning
    from kantor.data import plans

    if arguments.plan == "none":
        rows = (len(start.grid) if start else 0) + (arguments.rows or ROWS)
        return [plan.unknown(rows)] * arguments.count
    if start:
        return [plan.continued(start.plan, arguments.rows or ROWS)] * arguments.count
    chorales = planning.outlines(plans.read(CHORALES, "train"))
    return [
        planning.build(wish, chorales, (arguments.seed, number), arguments.rows)
        for number in range(arguments.count)
    ]


def _details(
    path: Path, grids: "list[np.ndarray]", requests: "list[Request]", start: Start | None
) -> "list[Details]":
    """The details of each piece; which notes are struck again is unknown without the network in
    `path`.
    """
    from kantor.network import model_file
    from kantor.sampling import strikes

    network = model_file.load(path) if path.exists() else None
    if network is None:
        print(f"no {path}: notes that stay are held, none is struck again")
    return strikes.detailed(network, grids, requests, start.struck if start else None)
