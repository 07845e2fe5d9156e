"""Compose any number of pieces with the trained model, as sound, scores and CSV.

    kantor compose mine --count 8
    kantor compose minor --key "D minor" --metre 3/4 --pickup 1 --phrases 4,4,4,4 --count 2
    kantor compose more --prompt mine/0.csv --prompt-rows 16 --top-p 0.95
    kantor compose between --prompt minor/0.csv --prompt-rows 32 --ending minor/1.csv --bars 4

Without a prompt the model starts by itself. Piece n is the same however many are composed; with an
ending, the likeliest piece comes first.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kantor.commands import completing, writing
from kantor.commands.writing import CHORALES

if TYPE_CHECKING:
    import numpy as np

    from kantor.commands.source import Source
    from kantor.params import Params, Render, SamplerOptions, Wish

# How long pieces are where no plan says it.
ROWS = 112
# How many bars there are before an ending if nothing says it.
BARS_BETWEEN = 4
EXCLUDED = {
    "--plan none": ("key", "metre", "pickup", "phrases", "bars", "ending"),
    "--prompt": ("phrases", "bars"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    writing.add_arguments(parser)

    add = parser.add_argument_group(
        "what is asked for",
        "What is left open is as in one of Bach's chorales, drawn for each piece from those in\n"
        f"{CHORALES}/train that agree with the rest.",
    ).add_argument
    writing.add_bars(add)
    add(
        "--bars",
        type=writing.whole,
        help="of the piece, where the pickup and the last bar together are one; with an ending, "
        "about so many before it (4)",
    )
    add(
        "--rows",
        type=writing.whole,
        help="sixteenths to compose, after a prompt if there is one (as the plan says, or 112)",
    )
    add(
        "--plan",
        choices=("drawn", "none"),
        default="drawn",
        help="none: ask for nothing, neither key nor bars nor an end; 112 rows (drawn)",
    )

    add = parser.add_argument_group(
        "what a piece goes on from, and to",
        "Key, metre and pickup are those that the prompt's file tells, unless others are asked\n"
        "for. Files are CSV, MusicXML, MIDI, kern or ABC.",
    ).add_argument
    add("--prompt", type=Path, metavar="FILE", help="how it begins (nothing)")
    add(
        "--prompt-rows",
        type=writing.whole,
        default=0,
        metavar="ROWS",
        help="its first rows; 0 = all (0)",
    )
    add("--ending", type=Path, metavar="FILE", help="how it ends after a prompt (nothing)")

    writing.add_drawing(
        parser,
        "Before an ending notes that are there are weighed as the model predicts them:\n"
        "temperature, top-k, top-p, rhythm and guidance are about the others.",
    )


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import params

    writing.check(arguments, "rows", "prompt_rows", "bars")
    _check(arguments)
    settings = params.load()
    options, render, wish = writing.asked(
        arguments,
        "kantor compose",
        settings.completion if arguments.ending else settings.preferred,
        settings.render,
        params.Wish(),
    )
    prompt = _prompt(arguments, wish) if arguments.prompt else None
    if arguments.ending:
        _write_joined(arguments, settings, options, render, wish, prompt)
    else:
        _write_composed(arguments, settings, options, render, wish, prompt)


def _check(arguments: argparse.Namespace) -> None:
    from kantor.system.errors import KantorError

    there = {"--plan none": arguments.plan == "none", "--prompt": arguments.prompt is not None}
    for other, names in EXCLUDED.items():
        for name in names:
            between = name == "bars" and arguments.ending
            if there[other] and getattr(arguments, name) is not None and not between:
                raise KantorError(f"--{name} and {other} exclude each other; leave one out")
    for name in ("ending", "prompt_rows"):
        if getattr(arguments, name) and not arguments.prompt:
            raise KantorError(f"--{name.replace('_', '-')} without --prompt; expected both")
    if arguments.ending and arguments.rows and arguments.bars:
        raise KantorError("--rows and --bars exclude each other before an ending; leave one out")


def _prompt(arguments: argparse.Namespace, wish: "Wish") -> "Source":
    from kantor.commands import source
    from kantor.system.errors import KantorError

    path, rows = arguments.prompt, arguments.prompt_rows
    prompt = source.read(path, wish)
    if rows > len(prompt.grid):
        raise KantorError(f"--prompt-rows is {rows}; {path} has {len(prompt.grid)} rows")
    return prompt.first(rows or len(prompt.grid))


def _write_composed(
    arguments: argparse.Namespace,
    settings: "Params",
    options: "SamplerOptions",
    render: "Render",
    wish: "Wish",
    prompt: "Source | None",
) -> None:
    """Compose pieces from their beginning to their end."""
    from kantor.sampling import needs

    plans = _plans(arguments, wish, prompt)
    needs.check(len(plans), max(map(len, plans)), options.particles)

    from kantor import planning
    from kantor.network import model_file
    from kantor.notation.piece import Piece
    from kantor.sampling import composing, sampler, strikes
    from kantor.system import runtime

    grid = prompt.grid if prompt else None
    prompt_rows = len(grid) if prompt else 0
    requests = [
        sampler.Request(
            grid, len(plan) - prompt_rows, sampler.seed_for(arguments.seed, number), options, plan
        )
        for number, plan in enumerate(plans)
    ]
    runtime.pin(settings.threads)
    model = model_file.load_predicting(arguments.model)
    striking = writing.striking_network(arguments.model)
    grids = composing.compose(model, requests)
    writing.check_sounds([grid[prompt_rows:] for grid in grids], arguments.model)
    details = strikes.detailed(striking, grids, requests, prompt.details.struck if prompt else None)
    pieces = [
        Piece(
            grid,
            "",
            metadata=prompt.metadata if prompt else planning.described(plan, wish),
            details=own,
        )
        for grid, plan, own in zip(grids, plans, details, strict=True)
    ]
    writing.write(arguments.output, pieces, render)


def _plans(
    arguments: argparse.Namespace, wish: "Wish", prompt: "Source | None"
) -> "list[np.ndarray]":
    """The plan of each piece, its prompt included."""
    from kantor import plan, planning
    from kantor.data import plans

    if arguments.plan == "none":
        rows = (len(prompt.grid) if prompt else 0) + (arguments.rows or ROWS)
        return [plan.unknown(rows)] * arguments.count
    if prompt:
        return [plan.continued(prompt.plan, arguments.rows or ROWS)] * arguments.count
    chorales = planning.outlines(plans.read(CHORALES, "train"))
    return [
        planning.build(wish, chorales, (arguments.seed, number), arguments.rows)
        for number in range(arguments.count)
    ]


def _write_joined(
    arguments: argparse.Namespace,
    settings: "Params",
    options: "SamplerOptions",
    render: "Render",
    wish: "Wish",
    prompt: "Source",
) -> None:
    """Compose what is between the prompt and the ending."""
    from kantor.commands import ending, source

    # A pickup is before the first bar of the prompt.
    last = source.read(arguments.ending, wish.model_copy(update={"pickup": None}))
    rows = arguments.rows or ending.rows_between(prompt, last, arguments.bars or BARS_BETWEEN)
    piece = ending.joined(prompt, last, rows)
    completed = completing.complete(arguments, settings, options, piece.grid, piece.plan)
    completing.write(arguments, render, completed, piece.metadata, piece.details)
