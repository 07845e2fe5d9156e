"""Compose some bars of a piece anew, in all voices or some; all else is kept.

    kantor fill piece.musicxml filled --bars 5-8
    kantor fill piece.musicxml inner --bars 1-16 --voices alto,tenor --count 3

What is composed agrees with what comes before and after. Key, metre and phrases are those that the
file tells. With --count, the likeliest piece comes first.
"""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kantor.commands import completing, writing

if TYPE_CHECKING:
    from kantor.commands.source import Source

BARS = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("piece", type=Path, help="a score of four voices: CSV, MIDI, MusicXML or another")
    writing.add_arguments(parser)
    add(
        "--bars",
        type=_bars,
        required=True,
        metavar="FIRST-LAST",
        help="the bars to compose, as the score counts them, such as 5-8, or 5; a pickup is bar 0",
    )
    add("--voices", type=_voices, metavar="VOICES", help="to compose, such as alto,tenor (all)")
    completing.add_drawing(parser)


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import params

    writing.check(arguments)
    settings = params.load()
    options, render = writing.asked(arguments, "kantor fill", settings.completion, settings.render)

    from kantor.chorale import VOICES
    from kantor.commands import source
    from kantor.plan import UNKNOWN

    piece = source.read(arguments.piece, params.Wish())
    grid = piece.grid.copy()
    voices = [VOICES.index(voice) for voice in arguments.voices or VOICES]
    grid[_rows(arguments.piece, piece, *arguments.bars), voices] = UNKNOWN
    completed = completing.complete(arguments, settings, options, grid, piece.plan)
    completing.write(arguments, render, completed, piece.metadata, piece.details)


def _rows(path: Path, piece: "Source", first: int, last: int) -> slice:
    """The rows of some bars of a piece."""
    from kantor.notation.bars import Bars
    from kantor.system.errors import KantorError

    metadata = piece.metadata
    bars = Bars.of(len(piece.grid), metadata.metre, metadata.pickup, piece.details)
    by_number = {bar.number: bar for bar in bars}
    if first not in by_number or last not in by_number:
        wanted = str(first) if first == last else f"{first}-{last}"
        raise KantorError(
            f"--bars is {wanted}; {path} has bars {bars[0].number} to {bars[-1].number}"
        )
    return slice(by_number[first].begin, by_number[last].end)


def _bars(text: str) -> tuple[int, int]:
    """The first and the last of some bars, written 5-8; a single one is both."""
    parts = BARS.fullmatch(text)
    first, last = (int(part or parts[1]) for part in parts.groups()) if parts else (1, 0)
    if first > last:
        raise argparse.ArgumentTypeError(
            f"{text!r:.40}; expected bars such as 5-8, or one, such as 5"
        )
    return first, last


def _voices(text: str) -> list[str]:
    """Voices, written alto,tenor."""
    from kantor.chorale import VOICES

    names = text.lower().split(",")
    if not set(names) <= set(VOICES):
        raise argparse.ArgumentTypeError(f"{text!r:.40}; expected some of {','.join(VOICES)}")
    return names
