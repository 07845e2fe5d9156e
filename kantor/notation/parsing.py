"""Files of scores as music21's parts: within limits of size and time, and with what no grid can
hold refused.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from fractions import Fraction
from pathlib import Path

from music21 import converter, instrument, key, meter, midi, spanner, stream

from kantor import plan
from kantor.chorale import MOST_ROWS, ROWS_PER_QUARTER
from kantor.details import MOST_SHARPS
from kantor.notation import kern
from kantor.system import inputs
from kantor.system.errors import KantorError

MIDI = (".mid", ".midi")
EXPECTED = "a score"
# A chorale's MusicXML has 0.3 MiB; ten thousand notes, below, have 8.
MOST_MEBIBYTES = 16
MOST_MEBIBYTES_UNPACKED = 32
# The longest chorale has a thousand notes. A thousand more take a second or two to read.
MOST_NOTES = 10_000
MOST_SECONDS = 20
HIGHEST_MIDI = 127
# How music21 begins to say, to standard error alone, that it leaves a note out.
LEAVES_OUT = ("Error in parsing event", "Could not get pitch information", "Conversion error")


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Whatever goes wrong while a score is read, or takes too long, is a KantorError.

    music21 has no common class for what can be wrong in a file, and notices some of it only when
    it is asked for notes. Of its warnings, those about notes that it leaves out count; the others
    are about notation that no grid has.
    """
    late = (
        f"{path}: more than {MOST_SECONDS} s to read; expected {EXPECTED} that takes less; cut it "
        "into pieces"
    )
    said = io.StringIO()
    with (
        inputs.time_limit(MOST_SECONDS, late),
        warnings.catch_warnings(),
        redirect_stderr(said),
    ):
        warnings.simplefilter("ignore")
        try:
            yield
            _check_nothing_lost(path, said.getvalue())
        except KantorError:
            raise
        except Exception as error:
            raise KantorError(
                f"{path}: not a score that music21 can read ({inputs.reason(error)}); write it "
                "anew, as MusicXML"
            ) from error


def parts(path: Path) -> list[stream.Part]:
    """The parts of a score that music21 reads, with all times as they are in the file, and all
    pitches as they sound.

    KantorError tells what is too large, or what no grid and no details can hold.
    """
    inputs.check(path, EXPECTED, MOST_MEBIBYTES, "no such file; name a score")
    if zipfile.is_zipfile(path):
        inputs.check_archive(path, EXPECTED, MOST_MEBIBYTES_UNPACKED)
    written = _check_notes(path)
    score = converter.parse(path, forceSource=True, quantizePost=False)
    if isinstance(score, stream.Opus):
        raise KantorError(f"{path}: {len(score.scores)} pieces; expected a file of one")
    if len(score.parts) < written:
        raise KantorError(
            f"{path}: {written} parts, of which only {len(score.parts)} can be told apart; "
            "expected each in the part list, with an id of its own; write it anew, as MusicXML"
        )
    for part in score.parts:
        check_length(path, Fraction(part.highestTime) * ROWS_PER_QUARTER)
        _check_marks(path, part)
    sounding = [_sounding(part) for part in score.parts]
    for part in sounding:
        _check_pitches(path, part)
    return sounding


def check_length(path: Path, rows: Fraction) -> None:
    """Raise KantorError if a score has too many rows."""
    if rows > MOST_ROWS:
        raise KantorError(
            f"{path}: {float(rows):.0f} sixteenths; expected {MOST_ROWS} at most; cut it into "
            "pieces"
        )


def _check_nothing_lost(path: Path, warned: str) -> None:
    """Raise KantorError if music21 warned that it leaves a note out."""
    for line in warned.splitlines():
        if any(words in line for words in LEAVES_OUT):
            raise KantorError(
                f"{path}: a note that music21 can't read ({line.strip():.150}); mend it, or write "
                "the score anew, as MusicXML"
            )


def _check_notes(path: Path) -> int:
    """Raise KantorError if there are too many notes, or a MIDI file is too long or was cut, which
    costs little to find out beforehand. Returns how many parts MusicXML has, else 0.
    """
    texts = [b""]
    if path.suffix.lower() in MIDI:
        _check_whole(path)
        file = midi.MidiFile()
        file.open(path)
        try:
            file.read()
        finally:
            file.close()
        events = [event for track in file.tracks for event in track.events]
        count = sum(event.type == midi.ChannelVoiceMessages.NOTE_ON for event in events)
        for track in file.tracks:
            ticks = sum(event.time for event in track.events if event.isDeltaTime())
            check_length(path, Fraction(ticks * ROWS_PER_QUARTER, file.ticksPerQuarterNote))
    else:
        texts = _texts(path)
        if path.suffix.lower() == kern.SUFFIX:
            kern.check(path, texts[0].decode(errors="replace"))
        count = sum(text.count(b"<note>") + text.count(b"<note ") for text in texts)
    if count > MOST_NOTES:
        raise KantorError(
            f"{path}: {count} notes; expected {MOST_NOTES} at most; cut it into pieces"
        )
    return max(0 if b"<score-timewise" in text else text.count(b"<part ") for text in texts)


def _check_whole(path: Path) -> None:
    """Raise KantorError if the tracks of a MIDI file end before its header and theirs say so.

    music21 reads what is there, and tells no one. See "Standard MIDI Files 1.0", 1988, "Chunks".
    """
    content = path.read_bytes()
    announced, tracks, place = int.from_bytes(content[10:12], "big"), 0, 0
    while tracks < announced and place < len(content):
        tracks += content[place : place + 4] == b"MTrk"
        place += 8 + int.from_bytes(content[place + 4 : place + 8], "big")
    if tracks < announced or place > len(content):
        raise KantorError(
            f"{path}: not a whole MIDI file; expected {announced} tracks, and it ends before; get "
            "the file again"
        )


def _texts(path: Path) -> list[bytes]:
    """The content of a file, or of all that is packed into it."""
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()] or [b""]


def _check_marks(path: Path, part: stream.Part) -> None:
    """Raise KantorError for a signature or a metre that details can't hold."""
    for signature in part.recurse().getElementsByClass(key.KeySignature):
        if signature.sharps is not None and abs(signature.sharps) > MOST_SHARPS:
            kind = "sharps" if signature.sharps > 0 else "flats"
            raise KantorError(
                f"{path}: a signature of {abs(signature.sharps)} {kind}; expected "
                f"{MOST_SHARPS} at most; spell it in another key"
            )
    for metre in part.recurse().getElementsByClass(meter.TimeSignature):
        if not plan.METRE.fullmatch(metre.ratioString):
            raise KantorError(
                f"{path}: the metre {metre.ratioString}; expected 1 to 99 beats and their unit "
                "(1, 2, 4, 8 or 16), such as 4/4; write it in another metre"
            )


def _check_pitches(path: Path, part: stream.Part) -> None:
    """Raise KantorError for a pitch between two semitones, or one that isn't MIDI's. music21 would
    round the one, and move the other by octaves; 0 is silence in a grid.
    """
    for sound in part.recurse().notes:
        for pitch in sound.pitches:
            if pitch.ps % 1 or not 1 <= pitch.ps <= HIGHEST_MIDI:
                raise KantorError(
                    f"{path}: {pitch.nameWithOctave.replace('-', 'b')}, MIDI pitch {pitch.ps:g}; "
                    f"expected whole semitones, 1 to {HIGHEST_MIDI}; write another note"
                )


def _sounding(part: stream.Part) -> stream.Part:
    """A part with its pitches as they sound."""
    moved = part.recurse().getElementsByClass((instrument.Instrument, spanner.Ottava))
    # Of a long part it takes a second, and few parts need it.
    return part.toSoundingPitch() if any(map(_moves, moved)) else part


def _moves(mark: instrument.Instrument | spanner.Ottava) -> bool:
    """Whether notes sound elsewhere than where they are written because of a mark."""
    return isinstance(mark, spanner.Ottava) or mark.transposition is not None
