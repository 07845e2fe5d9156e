"""Scores as grids and details: MIDI, MusicXML and more, through music21."""

import math
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
from music21 import key, meter, note, stream

from kantor import details
from kantor.chorale import ROWS_PER_QUARTER, SILENCE, VOICES
from kantor.details import NO_SIGNATURE, UNKNOWN, Details
from kantor.metadata import Metadata
from kantor.notation import parsing, sounds
from kantor.notation.bars import Bars
from kantor.notation.parsing import MIDI
from kantor.notation.sounds import goes_on, has_fermata, pitched
from kantor.system.errors import KantorError

SOPRANO = 0
# A mode's third says which of the two keys on its tonic it is nearer to.
MODES = {
    **dict.fromkeys(("major", "ionian", "lydian", "mixolydian"), "major"),
    **dict.fromkeys(("minor", "aeolian", "dorian", "phrygian"), "minor"),
}


def read(path: Path, exact: bool = False) -> tuple[np.ndarray, Metadata, Details]:
    """Read the grid (rows, 4) of a score, the signature, metre and pickup that it tells, and its
    details.

    The score is MIDI, MusicXML or what else music21 reads. Its parts are named after voices, where
    a silent one may be missing, or there are four, soprano first. Pitches are as they sound.
    Silence after the last note is not part of it. Raises KantorError for what can't be read so, and
    if it has to be `exact`, for notes that begin or end between two sixteenths, or while another
    sounds in their part.
    """
    with parsing.guarded(path):
        return _read(path, exact)


def _read(path: Path, exact: bool) -> tuple[np.ndarray, Metadata, Details]:
    parts = parsing.parts(path)
    if not any(pitched(part) for part in parts):
        raise KantorError(
            f"{path}: no notes with a pitch and a length; expected a score of four voices"
        )
    for part in parts:
        if any(_unpitched(sound) for sound in part.flatten().notes):
            raise KantorError(
                f"{path}: notes without a pitch in the part {part.partName or 'without a name'}; "
                "expected four voices that sing; leave them out"
            )
    voices = _voices(parts, path)
    grid = sample(voices)
    if not len(grid):
        raise KantorError(f"{path}: all notes are shorter than a sixteenth; expected longer ones")
    extras = score_details(voices, grid)
    if path.suffix.lower() in MIDI:
        # It can't tell fermatas, and bars only as if there were no pickup.
        absent = np.full(len(grid), UNKNOWN)
        extras = extras._replace(fermata=absent, place=absent)
    description = described(parts[0], path)
    if exact:
        bars = Bars.of(len(grid), description.metre, description.pickup, extras)
        for voice, part in zip(VOICES, voices, strict=True):
            _check_exact(part, path, bars, voice)
    return grid, description, extras


def _check_exact(part: stream.Part, path: Path, bars: Bars, voice: str) -> None:
    end = Fraction(0)
    for sound in sounds.of_part(part):
        place = f"{path}, {bars.words(float(sound.begin))}, {voice}"
        if not sound.fits:
            raise KantorError(f"{place}: {sound.words}; expected sixteenths or longer; round it")
        if sound.begin < end:
            raise KantorError(
                f"{place}: {sound.name} begins while another note sounds; expected one at a time; "
                "leave one out"
            )
        end = sound.end


def _unpitched(sound: note.NotRest) -> bool:
    """Whether a note, or one of a chord of drums, has no pitch."""
    return any(isinstance(one, note.Unpitched) for one in getattr(sound, "notes", [sound]))


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
        for sound in pitched(flat):
            extent = _extent(sound)
            grid[extent, voice] = np.maximum(grid[extent, voice], _highest(sound))
    return grid[: np.flatnonzero(grid.any(axis=1)).max(initial=-1) + 1]


def score_details(parts: list[stream.Part], grid: np.ndarray) -> Details:
    """The details of four parts, of which `grid` (rows, 4) is the sample.

    Bars and signatures are those of the first part that has them. Fermatas are the soprano's.
    """
    rows = len(grid)
    struck, fermata = np.zeros((rows, len(VOICES)), np.int64), np.zeros(rows, np.int64)
    for voice, part in enumerate(parts):
        begins = False
        for sound in pitched(part):
            extent = _extent(sound)
            begins = begins or not goes_on(sound)
            sampled = extent.start < min(extent.stop, rows)
            if sampled and grid[extent.start, voice] == _highest(sound):
                struck[extent.start, voice] = begins
                # What was too short to be sampled is struck where its tie leads.
                begins = False
                if voice == SOPRANO and has_fermata(sound):
                    fermata[extent] = 1
    bar, place = bar_places(parts, rows)
    struck = details.settled(struck, grid)
    fermata = _over_ties(fermata, struck[:, SOPRANO], grid[:, SOPRANO])
    return Details(bar, place, fermata, signatures(parts, rows), struck)


def _highest(sound: note.NotRest) -> int:
    return max(pitch.midi for pitch in sound.pitches)


def _extent(element: note.GeneralNote | stream.Measure) -> slice:
    """The rows whose start a note or a bar covers."""
    end = element.offset + element.duration.quarterLength
    return slice(math.ceil(element.offset * ROWS_PER_QUARTER), math.ceil(end * ROWS_PER_QUARTER))


def _over_ties(fermata: np.ndarray, struck: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Fermatas (rows,) of a voice, drawn out over the whole of notes that are tied together."""
    note_numbers = struck.cumsum()
    under = np.isin(note_numbers, note_numbers[fermata == 1])
    return (under & (line != SILENCE)).astype(np.int64)


def bar_places(parts: list[stream.Part], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in the bar of each row (rows,), and its place in it (rows,)."""
    bar, place = np.full(rows, UNKNOWN), np.full(rows, UNKNOWN)
    measures = next(filter(None, (list(part[stream.Measure]) for part in parts)), [])
    length, reached = 0, 0
    for number, measure in enumerate(measures):
        if metre := measure.timeSignature:
            before, length = length, metre.barDuration.quarterLength * ROWS_PER_QUARTER
            # A short bar is not filled up in another metre.
            reached = reached if length == before else 0
        if not length or length % 1:
            continue
        extent, length = _extent(measure), int(length)
        count = extent.stop - extent.start
        following = _extent(measures[number + 1]) if number + 1 < len(measures) else None
        first = _first_place(count, length, reached if number else None, following)
        places = (first + np.arange(count)) % length
        bar[extent], place[extent] = length, places[: max(rows - extent.start, 0)]
        reached = (first + count) % length
    return bar, place


def _first_place(count: int, length: int, reached: int | None, following: slice | None) -> int:
    """The place where a measure of `count` rows begins, in bars of `length` rows.

    `reached` is the place after the measure before, None if there is none; `following` has the
    rows of the next measure. music21's own guess, paddingLeft, is wrong after split bars.
    """
    upbeat = max(length - count, 0)
    if reached is None:
        return upbeat
    if reached and reached + count <= length:
        return reached
    # A repeat splits a bar in two, or an upbeat to the next part has a measure of its own.
    split = following is not None and count + following.stop - following.start <= length
    return upbeat if 2 * count < length and following is not None and not split else 0


def signatures(parts: list[stream.Part], rows: int) -> np.ndarray:
    """The signature of each row (rows,)."""
    sharps = np.full(rows, NO_SIGNATURE)
    flats = (part.flatten().getElementsByClass(key.KeySignature) for part in parts)
    for signature in next(filter(None, map(list, flats)), []):
        start = math.ceil(signature.offset * ROWS_PER_QUARTER)
        sharps[start:] = NO_SIGNATURE if signature.sharps is None else signature.sharps
    return sharps


def _voices(parts: list[stream.Part], path: Path) -> list[stream.Part]:
    """The parts of soprano, alto, tenor and bass, an empty one for a voice that is missing."""
    names = [(part.partName or "").strip().lower() for part in parts]
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
    for place, name in enumerate(names):
        if name in VOICES and VOICES.index(name) != place:
            raise KantorError(
                f"{path}: part {place + 1} of 4 is named {name.capitalize()}, and others not after "
                f"voices; expected {', '.join(VOICES)} in this order, or as the names of all"
            )
    return parts


def described(part: stream.Part, path: Path) -> Metadata:
    """The key, signature, metre and pickup that a part of a file begins with."""
    signature, metre, bar = (
        part.recurse().getElementsByClass(kind).first()
        for kind in (key.KeySignature, meter.TimeSignature, stream.Measure)
    )
    pickup = bar.barDuration.quarterLength - bar.paddingLeft if bar and bar.paddingLeft else 0
    tonic, mode = "", ""
    # Programs that write MIDI say major of most signatures.
    if isinstance(signature, key.Key) and path.suffix.lower() not in MIDI:
        mode = MODES.get(signature.mode, "")
        tonic = signature.tonic.name.replace("-", "b") if mode else ""
    return Metadata(
        key=tonic,
        mode=mode,
        signature=signature.sharps if signature else None,
        metre=metre.ratioString if metre else "",
        pickup=float(pickup),
    )
