"""One voice of a score, for others to be composed to it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from music21 import note, repeat, stream

from kantor import chorale, details
from kantor.chorale import SILENCE, VOICES
from kantor.details import UNKNOWN, Details
from kantor.metadata import Metadata
from kantor.notation import files, parsing, reading, sounds
from kantor.notation.bars import Bars
from kantor.notation.sounds import Sound
from kantor.system.errors import KantorError

OCTAVE = 12
REMARKS_ON_ROUNDING = 20


class Melody(NamedTuple):
    """One voice, by the sixteenth, and what its file tells beside the notes."""

    line: np.ndarray  # int (rows,): MIDI pitches, 0 = silence
    struck: np.ndarray  # int (rows,): 1 where a note begins
    metadata: Metadata
    details: Details  # what the other voices strike is unknown
    remarks: list[str]  # sentences on what was not taken as it is written


def read(path: Path, voice: str, round_notes: bool = False) -> Melody:
    """Read a voice, such as soprano, of a chorale's CSV or of a score that music21 reads.

    A score of one part is that voice. Of several, the part counts that has its name; of four with
    other names, soprano comes first. Pitches are as they sound. Of several notes at once the
    highest counts. Repeats are played. Silence after the last note is not part of the melody.

    Notes begin and end on sixteenths; with `round_notes` they are moved to the nearest ones, and
    one that is left no sixteenth is dropped. Raises KantorError for what can't be read so.
    """
    if path.suffix.lower() == chorale.SUFFIX:
        return _read_csv(path, voice)
    with parsing.guarded(path):
        return _read_score(path, voice, round_notes)


def fitted(line: np.ndarray, lowest: int, highest: int) -> int:
    """The semitones by which to move a line (rows,) of MIDI pitches into a range: 0 if it is in
    it, else the fewest octaves, or if none fit, the fewest semitones.

    Raises KantorError if the range is too narrow.
    """
    pitches = line[line != SILENCE]
    low, high = int(pitches.min()), int(pitches.max())
    shifts = range(lowest - low, highest - high + 1)
    if not shifts:
        raise KantorError(
            f"a melody that spans {high - low} semitones; expected at most {highest - lowest}, "
            "the range of the voice; name another voice, or move the notes that are far off"
        )
    octaves = [shift for shift in shifts if shift % OCTAVE == 0]
    return min(octaves or shifts, key=abs)


def _read_csv(path: Path, voice: str) -> Melody:
    grid, description, extras = files.read(path)
    column = VOICES.index(voice)
    if not grid[:, column].any():
        raise KantorError(f"{path}: no notes in the {voice}; expected some, or name another voice")
    rows = int(np.flatnonzero(grid[:, column])[-1]) + 1
    extras = Details(*(values[:rows] for values in extras))
    line = grid[:rows, column]
    # What isn't told is held.
    struck = details.settled(np.maximum(extras.struck[:, column], 0), line)
    extras = extras._replace(struck=_struck_by(column, struck))
    return Melody(line, struck, replace(description, rows=rows), extras, [])


def _read_score(path: Path, voice: str, round_notes: bool) -> Melody:
    part, remarks = _played(_part(parsing.parts(path), voice, path))
    notes = sounds.of_part(part)
    if not notes:
        raise KantorError(
            f"{path}: no notes with a pitch and a length; expected a melody for the {voice}"
        )
    parsing.check_length(path, max(sound.end for sound in notes))
    fitting = sounds.rounded(notes)
    line, struck, fermata, count = sounds.painted([one for one in fitting if one])
    rows = len(line)
    extras = details.unknown(rows)._replace(
        fermata=fermata,
        signature=reading.signatures([part], rows),
        struck=_struck_by(VOICES.index(voice), struck),
    )
    bar, place = reading.bar_places([part], rows)
    if path.suffix.lower() in parsing.MIDI:
        # It can't tell fermatas, and bars only as if there were no pickup.
        place, extras = np.full(rows, UNKNOWN), extras._replace(fermata=np.full(rows, UNKNOWN))
    extras = extras._replace(bar=bar, place=place)
    description = replace(reading.described(part, path), rows=rows, pickup=extras.pickup)
    bars = Bars.of(rows, description.metre, description.pickup, extras)
    off = [pair for pair in zip(notes, fitting, strict=True) if not pair[0].fits]
    if off and not round_notes:
        raise _off_grid(path, bars, off[0][0])
    if any(written.duration.isGrace for written in part.recurse().notes):
        remarks.append("grace notes are left out")
    if any(not written.pitches for written in part.recurse().notes):
        remarks.append("notes without a pitch are left out")
    if count.max() > 1:
        remarks.append("where several notes sound at once, the highest counts")
    return Melody(line, struck, description, extras, remarks + _remarks_on_rounding(off, bars))


def _part(parts: Sequence[stream.Part], voice: str, path: Path) -> stream.Part:
    """The part of a voice."""
    names = [(part.partName or "").strip() for part in parts]
    lower = [name.lower() for name in names]
    if len(parts) == 1:
        return parts[0]
    if lower.count(voice) == 1:
        return parts[lower.index(voice)]
    sounding = [part for part in parts if part.recurse().getElementsByClass(note.NotRest)]
    if len(sounding) == 1 and voice not in lower:
        return sounding[0]
    if len(parts) == len(VOICES) and not set(lower) & set(VOICES):
        return parts[VOICES.index(voice)]
    listed = ", ".join(name or "one without a name" for name in names) or "none"
    raise KantorError(
        f"{path}: {len(parts)} parts ({listed}); expected a single one, or one that is named "
        f"{voice.capitalize()}; rename it"
    )


def _played(part: stream.Part) -> tuple[stream.Part, list[str]]:
    """A part with its repeats played, and a remark if there are any."""
    if not part.getElementsByClass(stream.Measure):
        return part, []
    expander = repeat.Expander(part)
    expandable = expander.isExpandable()
    if expandable is None:
        return part, []
    if expandable:
        return expander.process(), ["repeats are played"]
    return part, ["repeats are not played: their signs do not agree with each other"]


def _struck_by(column: int, struck: np.ndarray) -> np.ndarray:
    """The struck cells (rows, 4) of which those of one voice (rows,) are known."""
    cells = np.full((len(struck), len(VOICES)), UNKNOWN)
    cells[:, column] = struck
    return cells


def _off_grid(path: Path, bars: Bars, sound: Sound) -> KantorError:
    return KantorError(
        f"{path}, {bars.words(float(sound.begin))}: {sound.words}; expected sixteenths or longer; "
        "add --round to round it"
    )


def _remarks_on_rounding(off: Sequence[tuple[Sound, Sound | None]], bars: Bars) -> list[str]:
    """A sentence on each of the first notes that were rounded, and one on the others."""

    def sentences() -> Iterator[str]:
        for sound, moved in off:
            where = f"{bars.words(float(sound.begin))}: {sound.name}"
            if moved is None:
                yield f"{where} is dropped; no sixteenth is left for it"
            else:
                rows = int(moved.end - moved.begin)
                length = "1 sixteenth" if rows == 1 else f"{rows} sixteenths"
                yield f"{where} is rounded to {length} from {bars.words(int(moved.begin))}"

    more = len(off) - REMARKS_ON_ROUNDING
    rest = [f"and {more} more notes are rounded"] if more > 0 else []
    return list(chain(islice(sentences(), REMARKS_ON_ROUNDING), rest))
