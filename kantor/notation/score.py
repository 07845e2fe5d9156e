"""Grids as scores: MIDI and MusicXML, through music21.

A score has four parts, named after the voices. A pitch that stays is one held note, tied over
bar lines, unless details say that it is struck again. What is written here,
kantor.notation.reading reads as the same grid.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np
from music21 import (
    clef,
    expressions,
    instrument,
    key,
    meter,
    midi,
    note,
    pitch,
    stream,
    tempo,
    tie,
)
from music21 import metadata as headings
from music21.musicxml.m21ToXml import GeneralObjectExporter

from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOICES, runs
from kantor.details import UNKNOWN, Details
from kantor.metadata import Metadata
from kantor.notation.bars import DEFAULT_METRE, Bars

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


def setting_for(grid: np.ndarray, metadata: Metadata) -> Setting:
    """The setting of a grid (rows, 4), from its metadata as far as they tell it.

    Where they don't, the key is the one that music21 finds by Krumhansl and Schmuckler's
    profiles (C major for silence), and there are four quarters to a bar, from the start.
    """
    tonality = _key(grid, metadata)
    signature = tonality.sharps if metadata.signature is None else metadata.signature
    return Setting(
        signature, tonality.mode, metadata.metre or DEFAULT_METRE, metadata.pickup or 0.0
    )


def _key(grid: np.ndarray, metadata: Metadata) -> key.Key:
    if metadata.key:
        return key.Key(metadata.key.replace("b", "-"), metadata.mode)
    rows = np.bincount(grid[grid != SILENCE] % 12, minlength=12)
    if not rows.any():
        return key.Key("C")
    notes = [note.Note(60 + pitch, quarterLength=int(rows[pitch])) for pitch in rows.nonzero()[0]]
    return stream.Stream(notes).analyze("key")


def build(
    grid: np.ndarray,
    setting: Setting,
    title: str,
    composer: str,
    tempo_mark: float,
    details: Details | None = None,
) -> stream.Score:
    """A grid (rows, 4) as a score; `tempo_mark` is in quarters a minute.

    As far as details tell them, bars, fermatas and repeated notes are theirs. Where they don't,
    bars are the setting's, a note begins where the pitch changes, and a fermata is at the end.
    """
    bars = Bars.of(len(grid), setting.metre, setting.pickup, details)
    score = stream.Score(headings.Metadata(title=title, composer=composer))
    for number, name in enumerate(VOICES):
        struck = None if details is None else details.struck[:, number]
        part = stream.Part(_measures(grid[:, number], struck, bars, setting))
        part.partName, part.partAbbreviation = name.capitalize(), name[0].upper()
        singer = SINGERS[number]()
        # music21 would draw these at random.
        singer.partId, singer.instrumentId = f"P{number + 1}", f"P{number + 1}-I1"
        for element in (singer, CLEFS[number](), key.KeySignature(setting.signature)):
            part[stream.Measure].first().insert(0, element)
        for row in _fermatas(grid[:, 0], details):
            fermata = expressions.Fermata()
            fermata.type = "upright"
            written_at(part, row).expressions.append(fermata)
        part[stream.Measure].last().rightBarline = "final"
        part.makeAccidentals(inPlace=True)
        part.makeBeams(inPlace=True)
        score.insert(0, part)
    first = score.parts.first()[stream.Measure].first()
    first.insert(0, tempo.MetronomeMark(number=tempo_mark))
    return score


def musicxml(score: stream.Score) -> str:
    """The text of a score as a MusicXML file; the same score is the same text."""
    text = GeneralObjectExporter(score).parse().decode()
    # music21 notes the day.
    return re.sub(r"\s*<encoding-date>.*?</encoding-date>", "", text)


def write(score: stream.Score, path: Path) -> None:
    """Write a score as `path` with the suffixes .musicxml and .mid; the same score is the same
    bytes.
    """
    path.with_suffix(".musicxml").write_text(musicxml(score), "utf-8")
    file = midi.translate.streamToMidiFile(score)
    # Tempo and metre come as a track of their own; a format-1 file may have them in its first.
    conductor, soprano, *others = file.tracks
    file.tracks = [soprano, *others]
    for channel, track in enumerate(file.tracks, start=1):
        for event in track.events:
            # In one channel, a voice that ends would silence another on the same pitch.
            event.channel = channel
    soprano.events = _merged(conductor.events[:-2], soprano.events)
    path.with_suffix(".mid").write_bytes(file.writestr())


def check_midi(content: bytes) -> None:
    """Raise ValueError unless a MIDI file is made up of whole chunks: a header and its tracks."""
    place, kinds = 0, []
    while place < len(content):
        kinds.append(content[place : place + 4])
        place += 8 + int.from_bytes(content[place + 4 : place + 8], "big")
    tracks = int.from_bytes(content[10:12], "big")
    if place != len(content) or kinds != [b"MThd", *[b"MTrk"] * tracks]:
        raise ValueError("not a MIDI file of whole tracks")


def _merged(conductor: list[midi.MidiEvent], voice: list[midi.MidiEvent]) -> list[midi.MidiEvent]:
    """The events of two tracks as one: before each stands one that tells how long after the one
    before it comes. What the conductor's track says several times, once a part, comes once.
    """
    said = {
        (time, event.type, event.data): (time, wait, event)
        for time, wait, event in _timed(conductor)
    }
    timed = sorted([*said.values(), *_timed(voice)], key=itemgetter(0))
    now = 0
    for time, wait, _ in timed:
        wait.time, now = time - now, time
    return [event for _, *pair in timed for event in pair]


def _timed(events: list[midi.MidiEvent]) -> Iterator[tuple[int, midi.MidiEvent, midi.MidiEvent]]:
    """When each event of a track comes, that which tells how long to wait for it, and itself."""
    time = 0
    for wait, event in zip(events[::2], events[1::2], strict=True):
        time += wait.time
        yield time, wait, event


def bar_at(part: stream.Part, row: int) -> stream.Measure:
    """The bar of a score in which a row of its grid is."""
    return part.getElementAtOrBefore(row / ROWS_PER_QUARTER, [stream.Measure])


def written_at(part: stream.Part, row: int) -> note.GeneralNote:
    """The note or rest that is written where a row of the grid is."""
    bar = bar_at(part, row)
    return bar.getElementAtOrBefore(row / ROWS_PER_QUARTER - bar.offset, [note.GeneralNote])


def _measures(
    voice: np.ndarray, struck: np.ndarray | None, bars: Bars, setting: Setting
) -> list[stream.Measure]:
    """The bars of a voice (rows,), with its notes and rests; not all need be full."""
    changes = {row for run in runs(voice, struck) for row in run}
    measures, metre = [], None
    for bar in bars:
        measure = stream.Measure(number=bar.number)
        measure.paddingLeft = bar.missing / ROWS_PER_QUARTER
        measure.paddingRight = bar.missing_after / ROWS_PER_QUARTER
        if bar.metre != metre:
            metre = bar.metre
            measure.insert(0, meter.TimeSignature(metre))
        inside = changes.intersection(range(bar.begin, bar.end))
        for at, end in pairwise(sorted(inside | {bar.begin, bar.end})):
            while at < end:
                beat = (bar.missing + at - bar.begin) % ROWS_PER_QUARTER
                room = min(end - at, ROWS_PER_QUARTER - beat if beat else end - at)
                size = next(size for size in WRITTEN if size <= room)
                written = _written(int(voice[at]), size, setting)
                goes_on, stays = at not in changes, at + size not in changes
                if voice[at] != SILENCE and (goes_on or stays):
                    written.tie = tie.Tie(TIES[goes_on, stays])
                measure.append(written)
                at += size
        measures.append(measure)
    return measures


def _fermatas(soprano: np.ndarray, details: Details | None) -> list[int]:
    """The rows where a note of the soprano (rows,) with a fermata begins, and the last row if it
    is not told of that.
    """
    last = len(soprano) - 1
    if details is None:
        return [last]
    notes = np.zeros(len(soprano), int)
    notes[[begin for begin, _ in runs(soprano, details.struck[:, 0])]] = 1
    held = details.fermata
    begins = [begin for begin, _ in runs(held, notes) if held[begin] == 1]
    return [*begins, last] if held[last] == UNKNOWN else begins


def _written(midi_pitch: int, rows: int, setting: Setting) -> note.GeneralNote:
    """A note or rest that lasts some rows."""
    quarters = rows / ROWS_PER_QUARTER
    if midi_pitch == SILENCE:
        return note.Rest(quarterLength=quarters)
    return note.Note(_spelt(midi_pitch, setting), quarterLength=quarters)


def _spelt(midi_pitch: int, setting: Setting) -> pitch.Pitch:
    """A pitch as its key spells it: the twelve notes that lie side by side in fifths there."""
    flattest = setting.signature + FLATTEST[setting.mode]
    fifths = flattest + (7 * midi_pitch - flattest) % 12
    alter, step = divmod(fifths + 1, len(STEPS_BY_FIFTHS))
    spelt = pitch.Pitch(STEPS_BY_FIFTHS[step], accidental=alter or None)
    natural = pitch.Pitch(STEPS_BY_FIFTHS[step]).pitchClass
    spelt.octave = (midi_pitch - alter - natural) // 12 - 1
    return spelt
