"""What the commands that write pieces share: options, and the folder of pieces."""

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from kantor.notation.piece import Piece
    from kantor.params import Block, Render
    from kantor.system.runtime import keras

CHORALES = Path("data/chorales")
# Of a number on the command line; no limit has as many.
MOST_DIGITS = 18
STRIKES = "strikes.keras"  # the network that says which notes are struck again, beside the model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where pieces are written, how many, and from what they are drawn."""
    add = parser.add_argument
    add("output", type=Path, help="a new folder")
    add("--count", type=whole, default=1, help="how many pieces (1)")
    add("--seed", type=whole, default=0, help="where the draws start (0)")
    add_model(add)


def add_model(add: Callable[..., object]) -> None:
    """Add which model it is, by the `add_argument` of a parser."""
    add(
        "--model",
        type=Path,
        default=Path("models/chorale.keras"),
        help="a trained model (models/chorale.keras)",
    )


def add_bars(add: Callable[..., object]) -> None:
    """Add key, metre, pickup and phrases, by the `add_argument` of a group of options."""
    add("--key", help='such as "D minor", "Bb major" or "F# minor"')
    add("--metre", help="such as 4/4, 3/4 or 12/8")
    add("--pickup", type=float, metavar="QUARTERS", help="before the first whole bar")
    add("--phrases", type=_phrases, metavar="BARS", help="of each phrase, such as 4,4,2,4")


def add_drawing(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add how notes are drawn, and how they sound; `more` says more of it."""
    add = parser.add_argument_group(
        "how notes are drawn, and how they sound", f"By default as params.yaml says.\n{more}"
    ).add_argument
    add("--temperature", type=float, help="0 = always the likeliest note")
    add("--top-k", type=whole, help="draw from this many likeliest notes; 0 = all")
    add("--top-p", type=float, help="draw from the likeliest of this share; 1 = all")
    add(
        "--rhythm",
        type=float,
        metavar="TEMPERATURE",
        help="of whether a voice moves, drawn first; the rest is then about where to",
    )
    add(
        "--no-parallels",
        action="store_true",
        default=None,
        help="composed voices don't move in parallel fifths or octaves if they can avoid it",
    )
    add(
        "--parallels",
        dest="no_parallels",
        action="store_false",
        default=None,
        help="allow parallel fifths and octaves",
    )
    add(
        "--guidance",
        type=float,
        help="how much more the plan counts than the network has learnt; 0 = no more",
    )
    add(
        "--particles",
        type=whole,
        metavar="COUNT",
        help="pieces side by side, of which one is drawn: more are better and slower",
    )
    add(
        "--penalty",
        type=float,
        metavar="NATS",
        help="how much less likely a fault makes one of them; 0 = not at all",
    )
    add("--tempo", type=float, help="quarters a minute")
    add("--timbre", help="organ or sine")


def check(arguments: argparse.Namespace, *more: str) -> None:
    """Raise KantorError if the folder is there or the model isn't, or if one of the numbers that
    all these commands take, or one of `more`, is beyond its limits.
    """
    from kantor.commands import limits
    from kantor.system import atomic
    from kantor.system.errors import KantorError

    atomic.check_new(arguments.output)
    limits.check(arguments, ("count", "seed", "top_k", "particles", "phrases", *more))
    if not arguments.model.exists():
        raise KantorError(f"{arguments.model}: no such model; run `dvc repro train`")


def asked(arguments: argparse.Namespace, where: str, *blocks: "Block") -> "list[Block]":
    """Blocks of settings, with the keys that the arguments give in place of theirs.

    KantorError says `where` a key is wrong.
    """
    from kantor import params

    return [
        params.checked(type(block), block.model_dump() | _changes(arguments, block), where)
        for block in blocks
    ]


def striking_network(model: Path) -> "keras.Model | None":
    """The network beside a model that says which notes are struck again; None if there is none."""
    from kantor.network import model_file

    path = model.with_name(STRIKES)
    if path.exists():
        return model_file.load_striking(path)
    print(f"no {path}: composed notes that stay are held, none is struck again")
    return None


def check_sounds(composed: "Iterable[np.ndarray]", model: Path) -> None:
    """Raise KantorError if nothing that was composed, arrays of MIDI pitches, is a note."""
    from kantor.system.errors import KantorError

    if not any(notes.any() for notes in composed):
        raise KantorError(
            f"{model}: it composed nothing but silence; expected some notes; ask for more of them, "
            "raise --temperature, or name another model"
        )


def write(output: Path, pieces: "Sequence[Piece]", render: "Render") -> list[str]:
    """Write pieces to a new folder, as 0.wav and so on, and say so; returns their names, which
    become their titles.
    """
    from kantor.notation import piece
    from kantor.system import atomic
    from kantor.system.progress import Progress

    digits = len(str(len(pieces) - 1))
    names = [f"{number:0{digits}d}" for number in range(len(pieces))]
    with (
        atomic.output(output, new=True) as folder,
        Progress("write", len(pieces), "pieces") as progress,
    ):
        folder.mkdir()
        for name, one in zip(names, pieces, strict=True):
            piece.write(one._replace(title=name), folder / name, render)
            progress.advance()
    count = "1 piece" if len(pieces) == 1 else f"{len(pieces)} pieces"
    print(f"wrote {count} to {output}: .wav, .mid, .musicxml and .csv")
    return names


def whole(text: str) -> int | float:
    """A whole number for `check`: infinite if it has too many digits to be within any limit."""
    digits = text.strip().removeprefix("-").removeprefix("+")
    if len(digits) > MOST_DIGITS and digits.isdecimal():
        return -math.inf if "-" in text else math.inf
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.40}; expected a whole number") from None


def _phrases(text: str) -> list[int | float]:
    """The bars of phrases, written 4,4,2,4."""
    try:
        return [whole(bars) for bars in text.split(",")]
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r:.40}; expected the bars of each phrase, such as 4,4,2,4"
        ) from None


def _changes(arguments: argparse.Namespace, block: "Block") -> dict[str, object]:
    """The keys of a block of settings that the arguments give."""
    names = type(block).model_fields
    changes = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in changes.items() if value is not None}
