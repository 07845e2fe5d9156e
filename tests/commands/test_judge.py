import csv
import shutil
from itertools import pairwise

import numpy as np
import pytest

from helpers import marks, running
from helpers.barred import of_bars
from helpers.made_up import made_up
from helpers.music import random_grid
from helpers.networks import small
from helpers.scores import chord, written
from kantor import chorale, metadata
from kantor.details import to_csv
from kantor.metadata import Metadata
from kantor.network import model_file
from kantor.notation import score

pytestmark = pytest.mark.xdist_group("judge")  # they share a model
WITHOUT_MODEL = ("--model", "none.keras")
# Soprano and bass go from fifth to fifth in row 36, and nothing else is wrong.
FIFTHS = np.concatenate([chord(36, 67, 64, 60, 48), chord(12, 69, 65, 57, 50)])
WORDS = "parallel fifths, soprano and bass: G4 over C3, then A4 over D3"
IN_THREE = score.Setting(0, "major", "3/4", 1.0)


@pytest.fixture(scope="module")
def project(tmp_path_factory, settings_file):
    """A folder with settings and chorales, made up, but without a model."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(settings_file, folder)
    draw = np.random.Generator(np.random.Philox(2))
    listed = []
    for split in ("train", "valid"):
        for number in range(4):
            path = folder / "data/chorales" / chorale.file_name(split, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(chorale.to_csv(grid := made_up(draw)))
            listed.append(Metadata(split, number, len(grid)))
    metadata.write(listed, folder / "data/chorales/corpus.csv")
    (folder / "clean.csv").write_text(chorale.to_csv(made_up(draw)))
    (folder / "fifths.csv").write_text(chorale.to_csv(FIFTHS))
    written(folder, FIFTHS, IN_THREE)
    (folder / "broken.mid").write_text("not music")
    return folder


@pytest.fixture(scope="module")
def model(project, settings):
    """The path of a tiny model."""
    model_file.save(small(settings, "row_gru"), project / "tiny.keras")
    return "tiny.keras"


def judged(project, capsys, *arguments):
    """The lines that are printed for arguments that succeed."""
    capsys.readouterr()
    assert running.kantor(project, "judge", *arguments) == ""
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("name", "metre", "place"),
    [
        (
            "piece.musicxml",
            "bars of 3/4; the pickup of a quarter is bar 0",
            "bar 3, beat 3",
        ),
        ("piece.mid", "bars of 3/4", "bar 4, beat 1"),
        ("fifths.csv", "no metre in the file: bars of 4/4 from the first note", "bar 3, beat 2"),
    ],
)
def test_an_error_is_told_with_its_bar_beat_and_voices(project, capsys, name, metre, place):
    lines = judged(project, capsys, name, *WITHOUT_MODEL)
    assert lines[0] == f"{name}: {metre}"
    assert lines[1].split() == [*place.split(), *WORDS.split()]
    assert lines[2] == "1 error: 1 parallel fifths"


def test_a_chorale_of_the_edition_has_its_own_metre(project, capsys):
    corpus = project / "data/chorales/corpus.csv"
    description = Metadata("test", 7, len(FIFTHS), metre="3/4", pickup=2.0)
    metadata.write([*metadata.read(corpus).values(), description], corpus)
    path = project / "data/chorales/test/chorale_007.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(chorale.to_csv(FIFTHS))
    assert judged(project, capsys, path, *WITHOUT_MODEL)[1].startswith("  bar 3, beat 2 ")


def test_after_a_change_of_metre_bars_are_those_of_the_details(project, capsys):
    # A bar of 3/4 in the middle: what would be beat 2 of bar 3 is the beginning of bar 4.
    details = of_bars([(16, 0, 0), (12, 0, 0), (8, 0, 0), (16, 0, 4)])
    (project / "changing.csv").write_text(chorale.to_csv(FIFTHS))
    (project / "changing.details.csv").write_text(to_csv(details))
    lines = judged(project, capsys, "changing.csv", *WITHOUT_MODEL)
    assert lines[0] == "changing.csv: bars of 4/4, then of 3/4, then of 2/4, then of 4/4"
    assert lines[1].startswith("  bar 4, beat 1 ")
    # Details beside a chorale are no second file.
    both = ("changing.csv", "changing.details.csv", "--annotate", "changing.musicxml")
    assert judged(project, capsys, *both, *WITHOUT_MODEL)[:2] == lines[:2]


def test_a_clean_piece_has_no_errors_and_a_grade_beside_bachs(project, capsys):
    lines = judged(project, capsys, "clean.csv", *WITHOUT_MODEL)
    assert lines[1] == "no errors"
    assert lines[2].startswith("grade ") and "of them are worse" in lines[3]
    table = [line.split() for line in lines[6:15]]
    excess = [float(here) - float(bach) for _, here, bach in table]
    assert all(one >= other - 0.02 for one, other in pairwise(excess))
    parts = sum(float(here) for _, here, _ in table)
    assert float(lines[2].split()[1]) == pytest.approx(parts, abs=0.05)
    assert lines[-1].startswith("note: no model at none.keras")


def test_several_files_are_judged_under_their_names(project, capsys):
    lines = judged(project, capsys, "fifths.csv", "clean.csv", *WITHOUT_MODEL)
    first, second = (
        next(place for place, line in enumerate(lines) if line.startswith(name))
        for name in ("fifths.csv: ", "clean.csv: ")
    )
    assert first < lines.index("1 error: 1 parallel fifths") < second < lines.index("no errors")


def test_a_broken_file_is_one_sentence_and_the_others_are_judged(project, capsys):
    sentence = running.kantor(project, "judge", "broken.mid", "clean.csv", *WITHOUT_MODEL)
    assert sentence.startswith("error: broken.mid: not a score") and "\n" not in sentence
    assert "no errors" in capsys.readouterr().out.splitlines()
    assert running.kantor(project, "judge", "broken.mid", *WITHOUT_MODEL) == sentence
    assert capsys.readouterr().out == ""


def test_the_errors_are_marked_in_the_score(project, capsys, tmp_path):
    path = tmp_path / "marked.musicxml"
    lines = judged(project, capsys, "piece.musicxml", *WITHOUT_MODEL, "--annotate", path)
    assert f"wrote {path}" in lines
    assert marks.words(path) == [(36, 0, "∥5 S-B")]
    assert marks.coloured(path) == {(36, 0), (36, 3)}
    again = judged(project, capsys, path, *WITHOUT_MODEL)
    assert again[1:] == [line for line in lines[1:] if line != f"wrote {path}"]


@pytest.mark.slow
def test_how_surprising_each_note_is(project, capsys, tmp_path, model):
    path = tmp_path / "notes.csv"
    lines = judged(project, capsys, "piece.musicxml", "--model", model, "--notes", path)
    with path.open() as file:
        notes = list(csv.DictReader(file))
    # Eight notes, for none moves within the two chords.
    assert [(note["bar"], note["beat"]) for note in notes] == [("0", "3")] * 4 + [("3", "3")] * 4
    assert [note["note"] for note in notes[4:]] == ["A4", "F4", "A3", "D3"]
    assert notes[0]["surprise"] == "" and all(float(note["surprise"]) > 0 for note in notes[1:])
    begin = lines.index("the most surprising notes, in nats (-ln of their probability):") + 1
    nats = [float(line.split()[4]) for line in lines[begin : begin + 7]]
    surprises = sorted((float(note["surprise"]) for note in notes[1:]), reverse=True)
    assert nats == pytest.approx(surprises, abs=0.006) and lines[begin + 7] == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("none.mid",), "none.mid: no such file"),
        ((".",), ".: a folder; expected a score of four voices"),
        (("clean.csv", "--annotate", "x.pdf"), "--annotate is x.pdf; expected a name that ends"),
        (("clean.csv", "--annotate", "piece.musicxml"), "piece.musicxml: is there already"),
        (("clean.csv", "fifths.csv", "--annotate", "x.musicxml"), "--annotate with 2 files"),
        (("clean.csv", "--notes", "fifths.csv"), "fifths.csv: is there already"),
        (("clean.csv", "--notes", "x.csv", *WITHOUT_MODEL), "none.keras: no such model"),
        (("clean.csv", "--model", "params.yaml"), "params.yaml: not a model file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_and_nothing_is_written(project, capsys, arguments, sentence):
    before = sorted(project.iterdir())
    error = running.kantor(project, "judge", *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert sorted(project.iterdir()) == before and capsys.readouterr().out == ""


def test_without_chorales_it_says_how_to_get_them(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path)
    (tmp_path / "piece.csv").write_text(chorale.to_csv(random_grid(8)))
    error = running.kantor(tmp_path, "judge", "piece.csv")
    assert "no chorales in it; run `dvc repro download`" in error


def test_a_pitch_out_of_range_is_told_with_its_place(project, tmp_path):
    high = FIFTHS.copy()
    high[40:, 0] = 90
    path, _ = written(tmp_path, high, IN_THREE)
    error = running.kantor(project, "judge", path, *WITHOUT_MODEL)
    assert error.endswith("bar 4, beat 1, soprano: MIDI pitch 90; expected 36 to 81")


def test_what_fails_to_be_written_leaves_nothing(project, tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.write_text", _full)
    arguments = ("clean.csv", *WITHOUT_MODEL, "--annotate", tmp_path / "marked.musicxml")
    sentence = running.kantor(project, "judge", *arguments)
    assert sentence.startswith(f"error: {arguments[-1]}: can't be written (disk full); nothing was")
    assert not list(tmp_path.iterdir())


def _full(*_, **__):
    raise OSError("disk full")
