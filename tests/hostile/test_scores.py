"""Files that are no scores, or none that a grid can hold: one sentence, or the notes."""

import contextlib
import os
import time

import pytest

from helpers import bad_scores, running
from helpers.bad_scores import XML, in_metre, midi, of_parts, sentence, signed, whole, zipped
from kantor import chorale
from kantor.commands import source
from kantor.notation import files, melody, parsing
from kantor.params import Wish
from kantor.system.errors import KantorError

SUFFIXES = (".csv", ".musicxml", ".mid")
NOTE = b"\x00\x90\x3c\x40\x78\x80\x3c\x40"  # middle C, for 120 ticks
LONGEST_WAIT = b"\xff\xff\xff\x7f"  # 2^28 - 1 ticks
BOMB = (
    XML
    + "<!DOCTYPE lolz [<!ENTITY a0 'lol'>"
    + "".join(f"<!ENTITY a{n + 1} '{10 * f'&a{n};'}'>" for n in range(9))
    + "]><score-partwise>&a9;</score-partwise>"
)
EXTERNAL = (
    XML + "<!DOCTYPE x [<!ENTITY passwords SYSTEM 'file:///etc/passwd'>]>"
    "<score-partwise><work><work-title>&passwords;</work-title></work></score-partwise>"
)


def unreadable(path):
    path.write_text("x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")


ODD_FILES = {
    "a folder": (lambda path: path.mkdir(), "a folder; expected"),
    "a pipe": (os.mkfifo, "a pipe; expected"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "a device; expected"),
    "a terminal's device": (lambda path: path.symlink_to("/dev/tty"), "a device; expected"),
    "empty": (lambda path: path.touch(), "an empty file; expected"),
    "missing": (lambda path: None, "no such"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "no such"),
    "a link to itself": (lambda path: path.symlink_to(path), "too many levels"),
    "not to be read": (unreadable, "permission denied; expected"),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ODD_FILES)
def test_what_is_no_file_is_told(tmp_path, kind, suffix, read):
    make, words = ODD_FILES[kind]
    path = tmp_path / f"piece{suffix}"
    make(path)
    assert sentence(read, path).startswith(f": {words}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_in_a_file_is_told(tmp_path, suffix, read):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / f"piece{suffix}"
    with pytest.raises(KantorError, match="not a directory; expected"):
        read(path)


NAMES = ("Soprano", "Alto", "Tenor", "Bass")
METRE = "the metre {}; expected 1 to 99 beats and their unit"
NO_NOTES = "no notes with a pitch and a length; expected a"
SCORES = {
    "no parts": (of_parts(whole, ()), NO_NOTES),
    "rests alone": (of_parts(lambda _: [bad_scores.note.Rest()]), NO_NOTES),
    "grace notes alone": (of_parts(bad_scores.grace), NO_NOTES),
    "notes without a pitch": (of_parts(bad_scores.unpitched), NO_NOTES),
    "30 sharps": (signed(30), "a signature of 30 sharps; expected 7 at most"),
    "8 sharps": (signed(8), "a signature of 8 sharps; expected 7 at most"),
    "8 flats": (signed(-8), "a signature of 8 flats; expected 7 at most"),
    **{
        metre: (in_metre(metre), METRE.format(metre))
        for metre in ("1/32", "3/32", "1/64", "1/128", "100/4", "2/4+3/8")
    },
    **{
        f"the pitch {pitch:g}": (
            of_parts(lambda _, pitch=pitch: [bad_scores.at(pitch)]),
            f", MIDI pitch {pitch:g}; expected whole semitones, 1 to 127",
        )
        for pitch in (72.5, 0, -3, 129)
    },
    "one voice four times": (of_parts(whole, 4 * ("Soprano",)), "4 parts"),
    "voices in another order": (of_parts(whole, ("Bass", "Tenor", "Alto", "Organ")), "part"),
}
OF_FOUR = {
    "drums in a voice": (
        of_parts(lambda number: bad_scores.unpitched(0) if number == 3 else whole(number)),
        "notes without a pitch in the part Bass; expected four voices",
    ),
    "chords of drums": (of_parts(bad_scores.drums), "notes without a pitch in the part Soprano"),
    "notes that fill no sixteenth": (of_parts(bad_scores.short), "all notes are shorter than a"),
    "pitches beyond all voices": (
        of_parts(lambda number: [bad_scores.note.Note(110 - number)]),
        "soprano: MIDI pitch 110; expected 36 to 81",
    ),
    "two parts": (of_parts(whole, ("Violin", "Cello")), "2 parts; expected four"),
    "five parts": (of_parts(whole, ("Violin", "Viola", "Viola", "Cello", "Bass")), "5 parts"),
}


INEXACT = {
    "triplets": (bad_scores.triplets, "bar 1, beat 1, soprano: C4 lasts 0.333 quarters from"),
    "thirty-seconds": (
        bad_scores.thirty_seconds,
        "bar 1, beat 1, soprano: C4 lasts 0.125 quarters from",
    ),
    "two notes at once": (bad_scores.two_at_once, "soprano: G4 begins while another note sounds"),
}


@pytest.mark.parametrize("kind", INEXACT)
def test_a_score_to_go_on_from_has_to_be_as_a_grid_can_hold_it(tmp_path, kind):
    part, words = INEXACT[kind]
    score = of_parts(lambda number: part() if number == 0 else whole(number))
    folder = tmp_path / "{odd}"
    folder.mkdir()
    path = bad_scores.file(folder, score)
    assert words in sentence(lambda path: source.read(path, Wish()), path)
    assert files.read(path)[0].any(), "kantor judge reads it as it can"


@pytest.mark.parametrize("kind", SCORES)
def test_a_score_that_no_grid_holds_is_told(tmp_path, kind, read):
    score, words = SCORES[kind]
    assert words in sentence(read, bad_scores.file(tmp_path, score))


@pytest.mark.parametrize("kind", OF_FOUR)
def test_a_score_of_no_four_voices_is_told(tmp_path, kind):
    score, words = OF_FOUR[kind]
    assert words in sentence(files.read, bad_scores.file(tmp_path, score))


def test_a_transposing_instrument_is_read_as_it_sounds(tmp_path):
    path = bad_scores.file(tmp_path, of_parts(bad_scores.clarinet))
    assert files.read(path)[0][0].tolist() == [58, 59, 60, 61]
    assert melody.read(path, "alto").line[0] == 59


@pytest.mark.parametrize("suffix", [".musicxml", ".mid"])
def test_four_parts_of_one_name_keep_all_their_notes(tmp_path, suffix):
    path = bad_scores.file(tmp_path, of_parts(whole, 4 * ("Voice",)), suffix)
    assert files.read(path)[0][0].tolist() == [60, 61, 62, 63]


def test_four_parts_of_one_id_keep_all_their_notes(tmp_path):
    path = tmp_path / "piece.musicxml"
    path.write_bytes(bad_scores.plain(("1", "1", "1", "1")))
    assert files.read(path)[0][0].tolist() == [67, 65, 64, 62]


def test_chord_symbols_are_no_notes(tmp_path):
    path = bad_scores.file(tmp_path, of_parts(bad_scores.with_chord_symbol))
    assert files.read(path)[0][0].tolist() == [60, 61, 62, 63]


def test_what_a_melody_loses_without_a_pitch_is_said(tmp_path):
    mixed = of_parts(lambda number: whole(number) + bad_scores.unpitched(0), ("Soprano",))
    read = melody.read(bad_scores.file(tmp_path, mixed), "soprano")
    assert read.remarks == ["notes without a pitch are left out"] and set(read.line) == {60}


NO_SCORE = "not a score that music21 can read ("
SMALL = zipped({"piece.musicxml": b"<score-partwise>" + 999 * b" " + b"</score-partwise>"})
FILES = {
    "a zip bomb": (".mxl", zipped({"x.xml": bytes(2**26)}), "unpacks to 64.0 MiB; expected"),
    "a bomb in pieces": (
        ".mxl",
        zipped({f"{n}.xml": bytes(2**22) for n in range(12)}),
        "unpacks to 48.0 MiB; expected",
    ),
    "a lying zip": (".mxl", bad_scores.lying(SMALL), "a damaged zip archive ("),
    "a zip with a password": (".mxl", bad_scores.locked(SMALL), "a damaged zip archive ("),
    "a zip of many": (
        ".mxl",
        zipped({f"{n}.xml": b"x" for n in range(101)}),
        "101 files packed into it; expected",
    ),
    "a zip of nothing": (".mxl", zipped({}), NO_SCORE),
    "a zip of no score": (".mxl", zipped({"readme.txt": b"x"}), NO_SCORE),
    "no zip": (".mxl", b"PK", NO_SCORE),
    "an entity bomb": (".musicxml", BOMB.encode(), NO_SCORE),
    "an external entity": (".musicxml", EXTERNAL.encode(), ""),
    "deeply nested": (".musicxml", (XML + 10**5 * "<a>").encode(), NO_SCORE),
    "another XML": (".musicxml", (XML + "<html></html>").encode(), ""),
    "a large file": (".musicxml", bytes(17 * 2**20), "17.0 MiB; expected a score of at most 16"),
    "many notes in XML": (".musicxml", 10_001 * b"<note>", "10001 notes; expected 10000 at most"),
    "many in a zip": (".mxl", zipped({"x.xml": 10_001 * b"<note>"}), "10001 notes; expected"),
    "many in MIDI": (".mid", midi(10_001 * NOTE), "10001 notes; expected 10000 at most"),
    "a long note": (
        ".mid",
        midi(b"\x00\x90\x3c\x40" + LONGEST_WAIT + b"\x80\x3c\x40"),
        "2236962 sixteenths; expected 16384 at most",
    ),
    "no ticks a quarter": (".mid", midi(NOTE, division=0), NO_SCORE),
    "a pitch over 127": (".mid", midi(b"\x00\x90\xff\x40"), NO_NOTES),
    "no track": (".mid", midi(b"")[:14], "expected 1 tracks, and it ends before"),
    "XML as MIDI": (".mid", XML.encode(), "not a whole MIDI file"),
    "MIDI as XML": (".musicxml", midi(NOTE), NO_SCORE),
    "a kern token that is no note": (
        ".krn",
        bad_scores.KERN.replace("1g\t1g\t1g\t1g", "1g\tXYZ\t1g\t1g").encode(),
        "a note that music21 can't read (",
    ),
    "a part that is not in the part list": (
        ".musicxml",
        bad_scores.plain(("1", "2", "3", "4", "5"), listed=4),
        "5 parts, of which only 4 can be told apart",
    ),
    "a short line of kern": (
        ".krn",
        bad_scores.KERN.replace("1g\t1g\t1g\t1g", "1g\t1g\t1g").encode(),
        "3 tokens; expected 4",
    ),
    "noise as kern": (".krn", bytes(range(256)), ""),
    "noise as ABC": (".abc", bytes(range(256)), ""),
    "noise as XML": (".xml", bytes(range(256)), NO_SCORE),
    "a picture": (".png", b"\x89PNG\r\n", NO_SCORE),
    "a pickle": (".p", b"cos\nsystem\n(S'touch here'\ntR.", NO_SCORE),
    "without a suffix": ("", b"C D E", NO_SCORE),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_can_not_be_read_is_told(tmp_path, kind, read):
    suffix, content, words = FILES[kind]
    path = tmp_path / f"piece{suffix}"
    path.write_bytes(content)
    told = sentence(read, path)
    assert words in told and "()" not in told and "root:" not in told


@pytest.mark.parametrize("eighth", range(1, 8))
@pytest.mark.parametrize("suffix", [".musicxml", ".mxl", ".mid"])
def test_a_file_that_was_cut_is_told(tmp_path, samples, suffix, eighth, read):
    content = samples[suffix]
    path = tmp_path / f"piece{suffix}"
    path.write_bytes(content[: len(content) * eighth // 8])
    sentence(read, path)


def test_what_takes_too_long_is_told_even_if_errors_are_caught(tmp_path, monkeypatch, read):
    def stubborn(*_, **__):
        while True:
            with contextlib.suppress(Exception):
                time.sleep(0.01)

    monkeypatch.setattr(parsing, "MOST_SECONDS", 0.05)
    monkeypatch.setattr(parsing.converter, "parse", stubborn)
    path = tmp_path / "piece.abc"
    path.write_text(bad_scores.ABC)
    assert sentence(read, path).startswith(": more than 0.05 s to read; expected")


COMMANDS = {
    "compose": ("compose", "out", "--prompt", "bad.mid"),
    "compose --ending": ("compose", "out", "--prompt", "good.csv", "--ending", "bad.mid"),
    "fill": ("fill", "bad.mid", "out", "--bars", "1"),
    "harmonise": ("harmonise", "bad.mid", "out"),
    "judge": ("judge", "bad.mid", "--notes", "out.csv"),
}


@pytest.mark.parametrize("kind", ["a long note", "no track", "no ticks a quarter", "XML as MIDI"])
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_read_scores_before_any_model(tmp_path, settings_file, monkeypatch, command, kind):
    monkeypatch.setattr("kantor.network.model_file.load", None)
    monkeypatch.setattr("kantor.judging.standard.Standard.read", lambda folder: None)
    (tmp_path / "params.yaml").symlink_to(settings_file)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/chorale.keras").touch()
    (tmp_path / "good.csv").write_text(chorale.to_csv(bad_scores.GRID))
    (tmp_path / "bad.mid").write_bytes(FILES[kind][1])
    before = sorted(tmp_path.rglob("*"))
    error = running.kantor(tmp_path, *COMMANDS[command])
    assert error.startswith("error: bad.mid: ") and "\n" not in error
    assert sorted(tmp_path.rglob("*")) == before
