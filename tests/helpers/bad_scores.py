"""Scores that no grid can hold, and small ones of each format to be damaged."""

import io
import struct
import warnings
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from music21 import chord, harmony, instrument, key, meter, note, percussion, stream

from helpers.scores import written
from kantor import chorale
from kantor.chorale import VOICES
from kantor.notation import files, melody
from kantor.system.errors import KantorError

GRID = np.repeat([[67, 64, 60, 48], [65, 62, 59, 55], [64, 60, 55, 48]], 8, axis=0)
KERN = "\n".join(
    "\t".join(4 * [cell]) for cell in ("**kern", "*k[f#]", "*M4/4", "4g", "=1", "1g", "2a", "*-")
)
ABC = "X:1\nT:A tune\nM:4/4\nL:1/4\nK:G\n|:GABc|d2B2:|G4|]\n"
FORMATS = (".musicxml", ".mxl", ".mid", ".krn", ".abc", ".csv")
READERS = {"four voices": files.read, "melody": lambda path: melody.read(path, "soprano")}
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def of_parts(make: Callable[[int], list], names: tuple[str, ...] = VOICES) -> stream.Score:
    """A score with a part for each name, of what `make` gives for its number."""
    score = stream.Score()
    for number, name in enumerate(names):
        part = stream.Part(make(number))
        part.partName = name.capitalize()
        score.insert(0, part)
    return score


def whole(number: int) -> list:
    """A whole note, higher from part to part."""
    return [note.Note(60 + number, quarterLength=4)]


def at(pitch: float) -> note.Note:
    """A whole note of a MIDI pitch, which may lie between two."""
    made = note.Note(60, quarterLength=4)
    made.pitch.ps = pitch
    return made


def triplets() -> list:
    return [note.Note(60 + step, quarterLength=Fraction(1, 3)) for step in (0, 1, 2)]


def thirty_seconds() -> list:
    return [note.Note(60, quarterLength=0.125) for _ in range(8)]


def two_at_once() -> list:
    return [chord.Chord(["C4", "G4"], quarterLength=4)]


def in_metre(metre: str) -> stream.Score:
    return of_parts(lambda _: [meter.TimeSignature(metre), note.Note(60, quarterLength=0.25)])


def signed(sharps: int) -> stream.Score:
    return of_parts(lambda number: [key.KeySignature(sharps), *whole(number)])


def unpitched(_: int) -> list:
    return [note.Unpitched(quarterLength=4)]


def drums(_: int) -> list:
    return [percussion.PercussionChord([note.Unpitched(), note.Note(60)])]


def grace(_: int) -> list:
    return [note.Note(60).getGrace()]


def short(_: int) -> list:
    return [note.Rest(quarterLength=1 / 16), note.Note(60, quarterLength=1 / 32)]


def clarinet(number: int) -> list:
    return [instrument.Clarinet(), *whole(number)]


def with_chord_symbol(number: int) -> list:
    return [harmony.ChordSymbol("C"), *whole(number)]


def file(folder: Path, score: stream.Score, suffix: str = ".musicxml") -> Path:
    """A file of a score."""
    path = folder / f"piece{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score.write("midi" if suffix == ".mid" else "musicxml", path)
    return path


def plain(ids: tuple[str, ...], listed: int | None = None) -> bytes:
    """MusicXML of a part for each id, of one note, lower from part to part; some are listed."""
    names = "".join(
        f'<score-part id="P{one}"><part-name>x</part-name></score-part>' for one in ids[:listed]
    )
    parts = "".join(
        f'<part id="P{one}"><measure number="1"><attributes><divisions>1</divisions></attributes>'
        f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>4</duration></note>"
        "</measure></part>"
        for one, step in zip(ids, "GFEDCBA", strict=False)
    )
    text = f"{XML}<score-partwise><part-list>{names}</part-list>{parts}</score-partwise>"
    return text.encode()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of some files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def lying(content: bytes) -> bytes:
    """The same zip archive of one file, with a directory that says it unpacks to a byte."""
    size = struct.pack("<I", 1)
    local, central = content.index(b"PK\3\4"), content.index(b"PK\1\2")
    content = content[: local + 22] + size + content[local + 26 :]
    return content[: central + 24] + size + content[central + 28 :]


def locked(content: bytes) -> bytes:
    """The same zip archive of one file, with a directory that says it has a password."""
    central = content.index(b"PK\1\2")
    flags = struct.pack("<H", 1)
    return content[:6] + flags + content[8 : central + 8] + flags + content[central + 10 :]


def midi(events: bytes, division: int = 480) -> bytes:
    """A MIDI file of one track."""
    track = events + b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 1, 1, division)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def samples(folder: Path) -> dict[str, bytes]:
    """A small file of each format, by its suffix."""
    xml, heard = (path.read_bytes() for path in written(folder, GRID))
    return {
        ".musicxml": xml,
        ".mxl": zipped({"piece.musicxml": xml}),
        ".mid": heard,
        ".krn": KERN.encode(),
        ".abc": ABC.encode(),
        ".csv": chorale.to_csv(GRID).encode(),
    }


def sentence(call: Callable, path: Path) -> str:
    """What a reader says of a file that it can't read, which is left alone."""
    beside = {one: one.lstat().st_mtime_ns for one in path.parent.iterdir()}
    with pytest.raises(KantorError) as told:
        call(path)
    words = str(told.value)
    assert words.startswith(str(path)) and "\n" not in words and len(words) < 1000
    assert {one: one.lstat().st_mtime_ns for one in path.parent.iterdir()} == beside
    return words.removeprefix(str(path))
