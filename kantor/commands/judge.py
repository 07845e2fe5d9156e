"""Judge four-part music: errors of counterpoint, how far it is from Bach, surprising notes.

    kantor judge exercise.musicxml --annotate marked.musicxml --notes notes.csv
    kantor judge mine/*.csv

A file is MusicXML, MIDI, CSV or another score that music21 reads. Errors have bar, beat and voices.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kantor.commands import writing

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from kantor.details import Details
    from kantor.judging.notes import Error
    from kantor.metadata import Metadata
    from kantor.notation.bars import Bars

    Score = tuple[np.ndarray, Metadata, Details]

CHORALES = Path("data/chorales")
SUFFIXES = {"annotate": ".musicxml", "notes": ".csv"}
MOST_SURPRISING = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="a score of four voices; NAME.details.csv counts as part of NAME.csv",
    )
    add("--annotate", type=Path, metavar="OUT.musicxml", help="write the score, errors marked")
    add("--notes", type=Path, metavar="OUT.csv", help="write how surprising each note is")
    writing.add_model(add)


def run(arguments: argparse.Namespace) -> None:
    # Modules are imported where they are needed: a wrong option must not wait for TensorFlow.
    from kantor import details, params
    from kantor.judging import counterpoint, report
    from kantor.judging.standard import Standard
    from kantor.notation.bars import told as bars_told
    from kantor.system.errors import KantorError

    beside = {details.file_beside(path) for path in arguments.files}
    arguments.files = [path for path in arguments.files if path not in beside]
    _check(arguments)
    settings = params.load()
    standard = Standard.read(CHORALES)
    scores, failures = _read(arguments.files)
    surprises = {}
    if scores and arguments.model.exists():
        surprises = _surprises(scores, arguments.model, settings.threads)
    for path, (grid, description, extras) in scores.items():
        bars = _bars(scores[path])
        told = bool(description.metre) or bars_told(extras)
        errors = counterpoint.errors(grid)
        print(f"{path}: {report.metre(bars, told)}")
        print(*report.errors(errors, bars), *report.grade(grid, standard), sep="\n")
        if path in surprises:
            from kantor.evaluation import surprise

            print("the most surprising notes, in nats (-ln of their probability):")
            print(*surprise.lines(surprises[path], bars, MOST_SURPRISING), sep="\n")
        print()
        if arguments.annotate:
            _annotate(arguments.annotate, path, scores[path], errors, settings.render.tempo)
        if arguments.notes:
            _write_notes(arguments.notes, surprises[path])
    if scores and not surprises:
        print(f"note: no model at {arguments.model}, so how surprising the notes are is left out")
    if failures:
        raise KantorError("; ".join(failures))


def _check(arguments: argparse.Namespace) -> None:
    from kantor.system import atomic, inputs
    from kantor.system.errors import KantorError

    for path in arguments.files:
        missing = "no such file; name a score of four voices"
        inputs.check(path, "a score of four voices", inputs.ANY_SIZE, missing)
    for name, suffix in SUFFIXES.items():
        path = getattr(arguments, name)
        if path is None:
            continue
        if len(arguments.files) > 1:
            raise KantorError(f"--{name} with {len(arguments.files)} files; expected one file")
        if path.suffix != suffix:
            raise KantorError(f"--{name} is {path}; expected a name that ends in {suffix}")
        atomic.check_new(path)
    if arguments.notes and not arguments.model.exists():
        raise KantorError(
            f"{arguments.model}: no such model, and --notes needs one; run `dvc repro train`"
        )


def _read(paths: list[Path]) -> "tuple[dict[Path, Score], list[str]]":
    """The scores of the files, and what is wrong with those that can't be read."""
    from kantor import chorale
    from kantor.notation import files
    from kantor.system.errors import KantorError

    scores, failures = {}, []
    for path in paths:
        try:
            grid, description, details = files.read(path)
            chorale.check_sounds(grid, str(path))
            scores[path] = grid, description, details
        except KantorError as error:
            failures.append(str(error))
    return scores, failures


def _bars(music: "Score") -> "Bars":
    from kantor.notation.bars import Bars

    grid, description, details = music
    return Bars.of(len(grid), description.metre, description.pickup, details)


def _surprises(scores: "dict[Path, Score]", path: Path, threads: int) -> "dict[Path, pd.DataFrame]":
    """How surprising the notes of each score are to a model."""
    from kantor.evaluation import likelihood, surprise
    from kantor.network import model_file
    from kantor.system import runtime

    runtime.pin(threads)
    predict = likelihood.model_predictor(model_file.load_predicting(path))
    frames = surprise.surprises([grid for grid, *_ in scores.values()], predict)
    return {
        path: surprise.named(frame, music[0], _bars(music))
        for (path, music), frame in zip(scores.items(), frames, strict=True)
    }


def _annotate(
    output: Path, source: Path, music: "Score", errors: "list[Error]", tempo: float
) -> None:
    from kantor.judging import words
    from kantor.notation import marking
    from kantor.notation.piece import BACH, Piece
    from kantor.system import atomic

    grid, description, details = music
    # Only an edition's chorales have titles.
    title, composer = (description.heading, BACH) if description.title else (source.stem, "")
    piece = Piece(grid, title, composer, description, details)
    text = marking.musicxml(piece, words.marks(errors), tempo)
    with atomic.output(output, new=True) as fresh:
        fresh.write_text(text, "utf-8")
    print(f"wrote {output}")


def _write_notes(output: Path, notes: "pd.DataFrame") -> None:
    from kantor.system import atomic

    with atomic.output(output, new=True) as fresh:
        notes.to_csv(fresh, index=False, float_format="%.4f", lineterminator="\n")
    print(f"wrote {output}")
