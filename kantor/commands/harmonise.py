"""Compose the other three voices to a melody, or to another voice; its notes are kept.

    kantor harmonise melody.musicxml mine
    kantor harmonise melody.abc five --count 5 --key "G major" --phrases 4,4,4,4
    kantor harmonise bass.mid above --voice bass --round

Key, metre and phrases are those that the file tells or shows. With --count, the
likeliest piece comes first.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from kantor import chorale
from kantor.chorale import HIGHEST, LOWEST, SILENCE, VOICES
from kantor.commands import completing, writing
from kantor.details import NO_SIGNATURE, Details

OCTAVE = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "melody",
        type=Path,
        help="MusicXML, MIDI, kern, ABC or another score, or CSV: a part alone, or one of several "
        "that has the name of the voice",
    )
    writing.add_arguments(parser)
    add("--voice", choices=VOICES, default=VOICES[0], help="which voice the melody is (soprano)")
    add(
        "--round",
        action="store_true",
        help="move notes to sixteenths, such as those of triplets; they are refused otherwise",
    )

    add = parser.add_argument_group(
        "what is asked for", "By default what the melody's file tells, or its notes show."
    ).add_argument
    writing.add_bars(add)

    completing.add_drawing(parser)


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import params, plan, planning

    writing.check(arguments)
    settings = params.load()
    options, render, wish = writing.asked(
        arguments, "kantor harmonise", settings.completion, settings.render, params.Wish()
    )

    from kantor.data import melodies
    from kantor.notation import melody

    tune = melody.read(arguments.melody, arguments.voice, arguments.round)
    asked, metadata, remarks = melodies.planned(tune, wish)
    told = _without_signature(tune.details) if wish.key else tune.details
    for remark in [*tune.remarks, *remarks]:
        print(remark)
    shift = melody.fitted(tune.line, *_range(arguments.voice))
    moved = plan.transposed(asked, shift)
    grid = np.full((len(tune.line), len(VOICES)), plan.UNKNOWN)
    grid[:, VOICES.index(arguments.voice)] = np.where(
        tune.line == SILENCE, SILENCE, tune.line + shift
    )
    completed = completing.complete(arguments, settings, options, grid, moved)
    if shift:
        as_written = [one.moved(-shift, asked) for one in completed.pieces]
        fits = not any(len(chorale.out_of_range(one.grid)) for one in as_written)
        print(_shifted(shift, arguments.voice, fits))
        if fits:
            completed = completed._replace(pieces=as_written)
        elif shift % OCTAVE:
            told = _without_signature(told)
            described = planning.described(moved, params.Wish())
            metadata = replace(described, metre=metadata.metre, pickup=metadata.pickup)
    completing.write(arguments, render, completed, metadata, told)


def _range(voice: str) -> tuple[int, int]:
    """The lowest and the highest note of a voice in Bach's chorales."""
    chorales = chorale.read_split(writing.CHORALES, "train")
    lowest, highest = chorale.ranges(chorales.values())[VOICES.index(voice)].tolist()
    return lowest, highest


def _shifted(shift: int, voice: str, back: bool) -> str:
    """What was done with a melody that is not in the range of its voice."""
    octaves, rest = divmod(abs(shift), OCTAVE)
    count = abs(shift) if rest else octaves
    unit = "semitone" if rest else "octave"
    far = f"{'an' if unit == 'octave' else 'a'} {unit}" if count == 1 else f"{count} {unit}s"
    lies, moved = ("low", "higher") if shift > 0 else ("high", "lower")
    article = "an" if voice == "alto" else "a"
    end = (
        "and written back"
        if back
        else f"and left there, for not all voices are within MIDI pitches {LOWEST} to {HIGHEST} "
        "where the melody was"
    )
    return f"the melody lies too {lies} for {article} {voice}: composed {far} {moved}, {end}"


def _without_signature(details: Details) -> Details:
    return details._replace(signature=np.full(len(details.bar), NO_SIGNATURE))
