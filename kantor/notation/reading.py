"""Scores as grids: MIDI and MusicXML, through music21."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from music21 import converter, key, meter, stream

from kantor.chorale import ROWS_PER_QUARTER, VOICES
from kantor.metadata import Metadata
from kantor.system.errors import KantorError


def read(path: Path) -> tuple[np.ndarray, Metadata]:
    """Read the grid (rows, 4) of a score, and the signature, metre and pickup that it tells.

    The score is MIDI or MusicXML. Its parts are named after voices, where a silent one may be
    missing, or there are four, soprano first. Silence after the last note is not part of it.
    """
    try:
        parts = list(converter.parse(path, forceSource=True, quantizePost=False).parts)
    except Exception as error:  # music21 has no common class for what can go wrong in a file
        raise KantorError(f"{path}: not a score that music21 can read ({error})") from error
    if not any(part.recurse().notes for part in parts):
        raise KantorError(f"{path}: no notes; expected a score of four voices")
    return sample(_voices(parts, path)), _metadata(parts[0])


def sample(parts: list[stream.Part]) -> np.ndarray:
    """Sample the four parts of a score in sixteenths: a grid (rows, 4), without the silence after
    the last chord.

    A note sounds in every sixteenth whose start it covers. Of several notes at once in a part
    the highest counts; grace notes don't.
    """
    flats = [part.flatten() for part in parts]
    rows = max(math.ceil(flat.highestTime * ROWS_PER_QUARTER) for flat in flats)
    grid = np.zeros((rows, len(VOICES)), np.int64)
    for voice, flat in enumerate(flats):
        for note in flat.notes:
            if not note.duration.isGrace:
                start = math.ceil(note.offset * ROWS_PER_QUARTER)
                end = math.ceil((note.offset + note.quarterLength) * ROWS_PER_QUARTER)
                grid[start:end, voice] = max(pitch.midi for pitch in note.pitches)
    return grid[: np.flatnonzero(grid.any(axis=1))[-1] + 1]


def _voices(parts: list[stream.Part], path: Path) -> list[stream.Part]:
    """The parts of soprano, alto, tenor and bass, an empty one for a voice that is missing."""
    names = [(part.partName or "").lower() for part in parts]
    for name, count in Counter(names).items():
        if name in VOICES and count > 1:
            raise KantorError(
                f"{path}: {count} parts are named {name.capitalize()}; expected one of each "
                f"voice ({', '.join(VOICES)}); rename the others"
            )
    if set(names) <= set(VOICES):
        named = dict(zip(names, parts, strict=True))
        return [named.get(voice, stream.Part()) for voice in VOICES]
    if len(parts) != len(VOICES):
        raise KantorError(f"{path}: {len(parts)} parts; expected four, {', '.join(VOICES)}")
    return parts


def _metadata(part: stream.Part) -> Metadata:
    signature, metre, bar = (
        part.recurse().getElementsByClass(kind).first()
        for kind in (key.KeySignature, meter.TimeSignature, stream.Measure)
    )
    pickup = bar.barDuration.quarterLength - bar.paddingLeft if bar and bar.paddingLeft else 0
    return Metadata(
        signature=signature.sharps if signature else None,
        metre=metre.ratioString if metre else "",
        pickup=float(pickup),
    )
