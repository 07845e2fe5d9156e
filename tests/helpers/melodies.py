"""Melodies: made up by chance, and as scores of one part."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from music21 import stream

from kantor.chorale import SILENCE
from kantor.details import unknown
from kantor.metadata import Metadata
from kantor.notation import score
from kantor.notation.bars import bar_rows
from kantor.notation.melody import Melody

FORMATS = {".musicxml": "musicxml", ".mxl": "mxl", ".mid": "midi"}
NOTHING_TOLD = Metadata()
HEADER = "X:1\nT:A tune\nM:4/4\nL:1/4\nK:G\n"


class Tune(NamedTuple):
    """A melody with its metre, and its pickup in rows."""

    line: np.ndarray
    struck: np.ndarray
    metre: str
    pickup: int


@st.composite
def tunes(draw: st.DrawFn) -> Tune:
    """Tunes of up to 12 notes and rests, the last one a note."""
    metre = draw(st.sampled_from(["4/4", "3/4", "2/2", "6/8", "5/4"]))
    pickup = draw(st.integers(0, bar_rows(metre) // 2 - 1))
    pitches = st.one_of(st.just(SILENCE), st.integers(40, 80))
    notes = draw(st.lists(st.tuples(pitches, st.integers(1, 20)), max_size=11))
    notes.append((draw(st.integers(40, 80)), draw(st.integers(1, 20))))
    # Rests in a row are one.
    line = np.concatenate([[pitch] * rows for pitch, rows in notes])
    struck = np.concatenate([[int(pitch > 0)] + [0] * (rows - 1) for pitch, rows in notes])
    # music21 can't tell a pickup from a piece that is shorter than a bar.
    room = max(0, pickup + bar_rows(metre) - len(line))
    line, struck = np.append(line, [line[-1]] * room), np.append(struck, [0] * room)
    return Tune(line.astype(np.int64), struck.astype(np.int64), metre, pickup)


def part(tune: Tune) -> stream.Part:
    """A tune as a part in bars, with a fermata on its last note."""
    grid = np.zeros((len(tune.line), 4), np.int64)
    struck = grid.copy()
    grid[:, 0], struck[:, 0] = tune.line, tune.struck
    setting = score.Setting(0, "major", tune.metre, tune.pickup / 4)
    details = unknown(len(grid))._replace(struck=struck)
    return score.build(grid, setting, "", "", 60.0, details).parts[0]


def written(folder: Path, *parts: stream.Part, suffix: str = ".musicxml") -> Path:
    """A file of some parts."""
    path = folder / f"tune{suffix}"
    stream.Score(list(parts)).write(FORMATS[suffix], path)
    return path


def abc(folder: Path, notes: str, header: str = HEADER) -> Path:
    """A file of ABC; its quarters are in G major and 4/4 unless the header says else."""
    path = folder / "tune.abc"
    path.write_text(f"{header}{notes}|]\n")
    return path


def melody(line: list[int], metadata: Metadata = NOTHING_TOLD, **columns: np.ndarray) -> Melody:
    """A melody of given rows, of whose details only some columns are known."""
    rows = np.array(line)
    struck = (np.diff(rows, prepend=0) != 0) & (rows > 0)
    return Melody(rows, struck.astype(int), metadata, unknown(len(rows))._replace(**columns), [])
