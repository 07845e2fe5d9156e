"""Grids as scores, and back: MIDI and MusicXML, through music21.

A score has four parts, named after the voices. A pitch that stays is one held note, tied over
bar lines. What is written reads back as the same grid.
"""

import re
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from music21 import (
    clef,
    converter,
    expressions,
    instrument,
    key,
    metadata,
    meter,
    midi,
    note,
    pitch,
    stream,
    tempo,
    tie,
)
from music21.musicxml.m21ToXml import GeneralObjectExporter

from kantor import embedded
from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOICES
from kantor.errors import KantorError
from kantor.stretches import stretches

CLEFS = (clef.TrebleClef, clef.TrebleClef, clef.Treble8vbClef, clef.BassClef)
SINGERS = (instrument.Soprano, instrument.Alto, instrument.Tenor, instrument.Bass)
# Rows that one note without a tie can last: from a sixteenth to a whole note, with dots.
WRITTEN = (16, 12, 8, 6, 4, 3, 2, 1)
TIES = {(False, True): "start", (True, True): "continue", (True, False): "stop"}
STEPS_BY_FIFTHS = "FCGDAEB"
# By how many fifths a key's flattest note lies below C, or A in minor, where there is no
# signature: E flat in C major, B flat in A minor, whose leading notes go up to D sharp.
FLATTEST = {"major": -3, "minor": -2}


@dataclass(frozen=True)
class Setting:
    """What a grid doesn't tell of its score: the signature in sharps (flats are negative), the
    mode, major or minor, the metre, such as 4/4, and the quarters before the first whole bar.
    """

    signature: int
    mode: str
    metre: str = "4/4"
    pickup: float = 0.0


def setting(grid: np.ndarray, known: Mapping[str, str]) -> Setting:
    """The setting of a grid (rows, 4), from a row of corpus.csv as far as that tells it.

    Where it doesn't, the key is the one that music21 finds by Krumhansl and Schmuckler's
    profiles, and there are four quarters to a bar, from the start.
    """
    metre, pickup = known.get("metre") or "4/4", float(known.get("pickup") or 0)
    if known.get("key"):
        found = key.Key(known["key"].replace("b", "-"), known["mode"])
    else:
        rows = np.bincount(grid[grid != SILENCE] % 12, minlength=12)
        heard = [note.Note(60 + at, quarterLength=int(rows[at])) for at in np.flatnonzero(rows)]
        found = stream.Stream(heard).analyze("key")
    signature = int(known.get("signature") or found.sharps)
    return Setting(signature, found.mode, metre, pickup)


def score(
    grid: np.ndarray, chosen: Setting, title: str, composer: str, rows_a_minute: float
) -> stream.Score:
    """A grid (rows, 4) as a score, with a fermata at the end."""
    made = stream.Score(metadata.Metadata(title=title, composer=composer))
    for number, name in enumerate(VOICES):
        part = stream.Part(_bars(grid[:, number], chosen))
        part.partName, part.partAbbreviation = name.capitalize(), name[0].upper()
        singer = SINGERS[number]()
        # music21 would draw these at random.
        singer.partId, singer.instrumentId = f"P{number + 1}", f"P{number + 1}-I1"
        signature = key.KeySignature(chosen.signature)
        for element in (singer, CLEFS[number](), signature, meter.TimeSignature(chosen.metre)):
            part[stream.Measure].first().insert(0, element)
        end = expressions.Fermata()
        end.type = "upright"
        part.recurse().notesAndRests.last().expressions.append(end)
        part[stream.Measure].last().rightBarline = "final"
        part.makeAccidentals(inPlace=True)
        part.makeBeams(inPlace=True)
        made.insert(0, part)
    first = made.parts.first()[stream.Measure].first()
    first.insert(0, tempo.MetronomeMark(number=rows_a_minute / ROWS_PER_QUARTER))
    return made


def write(made: stream.Score, path: Path) -> None:
    """Write a score as `path` with the suffixes .musicxml and .mid; the same score is the same
    bytes.
    """
    text = GeneralObjectExporter(made).parse().decode()
    # music21 notes the day.
    text = re.sub(r"\s*<encoding-date>.*?</encoding-date>", "", text)
    path.with_suffix(".musicxml").write_text(text)
    file = midi.translate.streamToMidiFile(made)
    # Tempo and metre come as a track of their own; a format-1 file may have them in its first.
    conductor, soprano, *others = file.tracks
    file.tracks = [soprano, *others]
    for channel, track in enumerate(file.tracks, start=1):
        for event in track.events:
            # In one channel, a voice that ends would silence another on the same pitch.
            event.channel = channel
    soprano.events = conductor.events[:-2] + soprano.events
    path.with_suffix(".mid").write_bytes(file.writestr())


def read(path: Path) -> np.ndarray:
    """Read the grid (rows, 4) of a score, MIDI or MusicXML, whose parts are named after voices,
    a silent one missing or not, or are four, soprano first.

    Silence after the last note is not part of it.
    """
    parts = _parts(path)
    if not any(part.recurse().notes for part in parts):
        raise KantorError(f"{path}: no notes; expected a score of four voices")
    named = {(part.partName or "").lower(): part for part in parts}
    if named and named.keys() <= set(VOICES):
        return embedded.sample([named.get(voice, stream.Part()) for voice in VOICES])
    if len(parts) != len(VOICES):
        raise KantorError(f"{path}: {len(parts)} parts; expected four, {', '.join(VOICES)}")
    return embedded.sample(parts)


def known(path: Path) -> dict[str, str]:
    """What a score tells of its setting, in the words of corpus.csv; "" where it tells nothing."""
    first = next(iter(_parts(path)), stream.Part())
    signature, metre, bar = (
        first.recurse().getElementsByClass(of).first()
        for of in (key.KeySignature, meter.TimeSignature, stream.Measure)
    )
    pickup = bar.barDuration.quarterLength - bar.paddingLeft if bar and bar.paddingLeft else 0
    return {
        "signature": str(signature.sharps) if signature else "",
        "metre": metre.ratioString if metre else "",
        "pickup": str(float(pickup)),
    }


def _parts(path: Path) -> list[stream.Part]:
    try:
        return list(converter.parse(path, forceSource=True, quantizePost=False).parts)
    except Exception as error:  # music21 has no common class for what can go wrong in a file
        raise KantorError(f"{path}: not a score that music21 can read ({error})") from error


def _bars(voice: np.ndarray, chosen: Setting) -> list[stream.Measure]:
    """The bars of a voice (rows,); the first may be a pickup, and the last not be full."""
    rows = round(meter.TimeSignature(chosen.metre).barDuration.quarterLength * ROWS_PER_QUARTER)
    pickup = round(chosen.pickup * ROWS_PER_QUARTER) % rows
    lines = [0, *range(pickup or rows, len(voice), rows)]
    bars = [
        stream.Measure(number=number) for number in range(not pickup, len(lines) + (not pickup))
    ]
    if pickup:
        bars[0].paddingLeft = (rows - pickup) / ROWS_PER_QUARTER
    bars[-1].paddingRight = (pickup - len(voice)) % rows / ROWS_PER_QUARTER
    changes = {place for stretch in stretches(voice) for place in stretch}
    for at, end in pairwise(sorted(changes.union(lines))):
        bar = bars[bisect(lines, at) - 1]
        while at < end:
            beat = (at - pickup) % ROWS_PER_QUARTER
            room = min(end - at, ROWS_PER_QUARTER - beat if beat else end - at)
            size = next(size for size in WRITTEN if size <= room)
            written = _written(int(voice[at]), size, chosen)
            goes_on, stays = at not in changes, at + size not in changes
            if voice[at] != SILENCE and (goes_on or stays):
                written.tie = tie.Tie(TIES[goes_on, stays])
            bar.append(written)
            at += size
    return bars


def _written(sounding: int, rows: int, chosen: Setting) -> note.GeneralNote:
    """A note or rest of so many rows."""
    quarters = rows / ROWS_PER_QUARTER
    if sounding == SILENCE:
        return note.Rest(quarterLength=quarters)
    return note.Note(_spelt(sounding, chosen), quarterLength=quarters)


def _spelt(midi_pitch: int, chosen: Setting) -> pitch.Pitch:
    """A pitch as its key spells it: the twelve notes that lie side by side in fifths there."""
    flattest = chosen.signature + FLATTEST[chosen.mode]
    fifths = flattest + (7 * midi_pitch - flattest) % 12
    alter, step = divmod(fifths + 1, len(STEPS_BY_FIFTHS))
    spelt = pitch.Pitch(STEPS_BY_FIFTHS[step], accidental=alter or None)
    natural = pitch.Pitch(STEPS_BY_FIFTHS[step]).pitchClass
    spelt.octave = (midi_pitch - alter - natural) // 12 - 1
    return spelt
