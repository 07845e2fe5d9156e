"""The notes of one part of a score as they sound: in sixteenths, ties joined."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from music21 import expressions, harmony, note, stream
from music21.common import opFrac

from kantor import details
from kantor.chorale import ROWS_PER_QUARTER, SILENCE


class Sound(NamedTuple):
    """A note from its beginning to the end of its last tie, both in sixteenths from the start of
    the piece; they may lie between two sixteenths.
    """

    pitch: int  # MIDI
    name: str  # such as Bb4
    begin: Fraction
    end: Fraction
    fermata: bool

    @property
    def fits(self) -> bool:
        """Whether it begins and ends on a sixteenth."""
        whole = self.begin.denominator == self.end.denominator == 1
        return whole and self.begin < self.end

    @property
    def words(self) -> str:
        """How long it lasts, for a sentence that says where."""
        length = float((self.end - self.begin) / ROWS_PER_QUARTER)
        return f"{self.name} lasts {length:.3g} quarters from there"


def pitched(part: stream.Part) -> list[note.NotRest]:
    """The notes and chords of a part, in order, without grace notes, chord symbols and what has no
    pitch.
    """
    return [
        sound
        for sound in part.flatten().notes
        if sound.pitches and not (sound.duration.isGrace or isinstance(sound, harmony.Harmony))
    ]


def of_part(part: stream.Part) -> list[Sound]:
    """The sounds of a part by their beginnings, those of chords one by one; without grace notes,
    chord symbols and what has no pitch.
    """
    sounds: list[Sound] = []
    latest: dict[int, int] = {}  # where in `sounds` the latest one of a pitch is
    for element in pitched(part):
        for one in getattr(element, "notes", [element]):
            if not one.pitches:
                continue
            fermata = has_fermata(element) or has_fermata(one)
            sound = _sound(element, one, fermata)
            before = latest.get(sound.pitch)
            if goes_on(one) and before is not None and sounds[before].end == sound.begin:
                tied = sounds[before]
                sounds[before] = tied._replace(end=sound.end, fermata=tied.fermata or fermata)
            else:
                latest[sound.pitch] = len(sounds)
                sounds.append(sound)
    return sounds


def rounded(sounds: Sequence[Sound]) -> list[Sound | None]:
    """Each sound from the nearest sixteenth to the nearest one, but at least a sixteenth long;
    None where that sixteenth is a later sound's.
    """
    results: list[Sound | None] = []
    for number, sound in enumerate(sounds):
        begin, end = _nearest(sound.begin), _nearest(sound.end)
        if begin == end:
            end += 1
            if any(_follows(sound, later) for later in sounds[number + 1 :]):
                results.append(None)
                continue
        results.append(sound._replace(begin=Fraction(begin), end=Fraction(end)))
    return results


def painted(sounds: Sequence[Sound]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sounds that fit, as rows: int arrays (rows,) of MIDI pitches, of 1 where a note begins, of
    1 under a fermata, and of how many sound at once; of these the highest counts.
    """
    rows = int(max(sound.end for sound in sounds))
    line, struck, fermata, count = np.zeros((4, rows), np.int64)
    for sound in sorted(sounds, key=lambda one: (one.pitch, one.begin)):
        extent = slice(int(sound.begin), int(sound.end))
        line[extent], struck[extent], fermata[extent] = sound.pitch, 0, sound.fermata
        struck[extent.start] = 1
        count[extent] += 1
    return line, details.settled(struck, line), np.where(line == SILENCE, 0, fermata), count


def goes_on(sound: note.NotRest) -> bool:
    """Whether a note, or the highest of a chord, is tied to the one before."""
    highest = max(getattr(sound, "notes", [sound]), key=lambda one: one.pitch.midi)
    return highest.tie is not None and highest.tie.type in ("continue", "stop")


def has_fermata(sound: note.NotRest) -> bool:
    """Whether a note or chord is written with a fermata."""
    return any(isinstance(mark, expressions.Fermata) for mark in sound.expressions)


def _sound(element: note.NotRest, one: note.NotRest, fermata: bool) -> Sound:
    # music21 keeps thirds as fractions and all else as floats, which opFrac adds up exactly.
    end = opFrac(element.offset + element.duration.quarterLength)
    begin, end = (Fraction(time) * ROWS_PER_QUARTER for time in (element.offset, end))
    (pitch,) = one.pitches
    name = pitch.nameWithOctave.replace("-", "b")
    return Sound(pitch.midi, name, begin, end, fermata)


def _nearest(time: Fraction) -> int:
    """The nearest sixteenth, the later one of two."""
    return math.floor(time + Fraction(1, 2))


def _follows(sound: Sound, later: Sound) -> bool:
    """Whether a later sound begins after the end of this one, and in the same sixteenth."""
    return later.begin >= sound.end and _nearest(later.begin) == _nearest(sound.begin)
