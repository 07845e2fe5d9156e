"""What the commands share that complete pieces of which some notes are there."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kantor.commands import writing

if TYPE_CHECKING:
    import numpy as np

    from kantor.details import Details
    from kantor.metadata import Metadata
    from kantor.params import Params, Render, SamplerOptions
    from kantor.sampling.completions import Completion
    from kantor.system.runtime import keras


class Completed(NamedTuple):
    """Pieces that were completed, and the network that says what is struck again in them."""

    pieces: "Sequence[Completion]"
    striking: "keras.Model | None"


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add how notes are drawn, how they sound, and with how many particles."""
    writing.add_drawing(
        parser,
        "Notes that are there are kept, and weighed as the model predicts them: temperature,\n"
        "top-k, top-p, rhythm and guidance are about the others.",
    )


def complete(
    arguments: argparse.Namespace,
    settings: "Params",
    options: "SamplerOptions",
    grid: "np.ndarray",
    plan: "np.ndarray",
) -> Completed:
    """Complete a grid (rows, 4) with unknown cells after a plan (rows, 6), as often as the
    arguments ask.
    """
    from kantor.commands import limits
    from kantor.sampling import needs

    limits.check_rows(len(grid))
    needs.check(arguments.count, len(grid), options.particles)

    from kantor.network import model_file
    from kantor.sampling import completions, posterior
    from kantor.sampling.fragments import Fragment
    from kantor.system import runtime

    fragment = Fragment(grid, arguments.seed, options, plan)
    runtime.pin(settings.threads)
    model = model_file.load_predicting(arguments.model)
    striking = writing.striking_network(arguments.model)
    particle_filter = posterior.Filter(model, options.particles)
    pieces = completions.different(particle_filter, fragment, arguments.count)
    writing.check_sounds([one.grid[~fragment.there] for one in pieces], arguments.model)
    if len(pieces) < arguments.count:
        print(
            f"only {len(pieces)} of {arguments.count} came out different; a higher temperature, "
            "a higher top-p or more particles bring more"
        )
    return Completed(pieces, striking)


def write(
    arguments: argparse.Namespace,
    render: "Render",
    completed: Completed,
    metadata: "Metadata",
    told: "Details",
) -> None:
    """Write completions and how likely each is. `told` is what files tell of the notes that are
    there; see kantor.sampling.completions.detailed.
    """
    from kantor.notation.piece import Piece
    from kantor.sampling import completions

    details = completions.detailed(completed.striking, completed.pieces, told)
    pieces = [
        Piece(one.grid, "", metadata=metadata, details=own)
        for one, own in zip(completed.pieces, details, strict=True)
    ]
    names = writing.write(arguments.output, pieces, render)
    print("file  nats a note (-ln of the probability; less is likelier)")
    for name, one in zip(names, completed.pieces, strict=True):
        print(f"{name:4}  {one.nats:.3f}")
