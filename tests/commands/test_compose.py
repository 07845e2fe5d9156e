import os
import shutil
import subprocess
import sys

import pytest
from scipy.io import wavfile

from helpers import running
from helpers.clone import digests
from helpers.music import random_grid
from helpers.networks import small
from helpers.project import PROJECT
from kantor import chorale, metadata
from kantor.metadata import Metadata
from kantor.network import model_file
from kantor.notation import reading

pytestmark = pytest.mark.xdist_group("compose")  # they share a model, and what is composed
KINDS = ("csv", "mid", "musicxml", "wav")


@pytest.fixture(scope="module")
def project(tmp_path_factory, settings, settings_file):
    """A folder with settings and a tiny model."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(settings_file, folder)
    network = small(settings, "wavenet_lstm", filters=[8], lstm=[])
    model_file.save(network, folder / "models/chorale.keras")
    return folder


@pytest.fixture(scope="module")
def two_pieces(project):
    """Two pieces of five rows."""
    assert running.kantor(project, "compose", "two", "--count", 2, "--rows", 5) == ""
    return project / "two"


def test_a_user_composes_pieces_to_a_folder_and_is_told_where(project):
    command = [sys.executable, "-m", "kantor", "compose", "mine"]
    finished = subprocess.run(
        [*command, "--count", "11", "--rows", "5", "--top-p", "0.9"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "wrote 11 pieces to mine: .wav, .mid, .musicxml and .csv\n"
    names = [f"{number:02d}.{kind}" for number in range(11) for kind in KINDS]
    assert sorted(path.name for path in (project / "mine").iterdir()) == names
    assert len(chorale.read(project / "mine/03.csv")) == 5


def test_the_sound_is_as_fast_as_params_yaml_says(project, settings, two_pieces):
    rate, sound = wavfile.read(two_pieces / "0.wav")
    # One row more, in which the last chord dies away.
    seconds = 6 * 60 / (4 * settings.render.tempo)
    assert rate == settings.render.rate and len(sound) / rate == pytest.approx(seconds, abs=0.1)


def test_nothing_that_is_there_is_lost(project, two_pieces):
    before = digests(two_pieces, ".")
    sentence = running.kantor(project, "compose", "two")
    assert sentence == "error: two: is there already; name a new folder"
    assert digests(two_pieces, ".") == before and len(before) == 8


def test_a_piece_is_the_same_however_many_are_composed(project, two_pieces):
    assert running.kantor(project, "compose", "three", "--count", 3, "--rows", 5) == ""
    assert running.kantor(project, "compose", "other", "--rows", 5, "--seed", 1) == ""
    for name in ("0.csv", "1.csv"):
        assert (project / "three" / name).read_text() == (two_pieces / name).read_text()
    assert (project / "other/0.csv").read_text() != (two_pieces / "0.csv").read_text()


def test_a_piece_goes_on_from_the_first_rows_of_a_score(project, two_pieces):
    start = ("--prompt", "two/0.musicxml", "--prompt-rows", 3, "--rows", 2, "--temperature", 0)
    assert running.kantor(project, "compose", "longer", *start) == ""
    grid = chorale.read(project / "longer/0.csv")
    assert len(grid) == 5
    assert grid[:3].tolist() == chorale.read(two_pieces / "0.csv")[:3].tolist()


def test_tempo_and_timbre_change_the_sound_alone(project, two_pieces, settings):
    arguments = ("--count", 2, "--rows", 5, "--tempo", 2 * settings.render.tempo)
    assert running.kantor(project, "compose", "fast", *arguments, "--timbre", "sine") == ""
    assert running.kantor(project, "compose", "sine", *arguments[:4], "--timbre", "sine") == ""
    sounds = {}
    for folder in ("two", "fast", "sine"):
        assert (project / folder / "1.csv").read_text() == (two_pieces / "1.csv").read_text()
        assert reading.read(project / folder / "1.mid")[0].tolist() == (
            reading.read(two_pieces / "1.mid")[0].tolist()
        )
        sounds[folder] = wavfile.read(project / folder / "1.wav")[1]
    assert len(sounds["fast"]) == pytest.approx(len(sounds["two"]) / 2, rel=0.02)
    assert len(sounds["sine"]) == pytest.approx(len(sounds["two"]), rel=0.1)
    assert sounds["sine"].tolist() != sounds["two"].tolist()


def test_the_scores_have_the_key_and_metre_of_the_prompt(project):
    description = Metadata("test", 305, 8, key="A", mode="minor", metre="3/4", pickup=1.0)
    metadata.write([description], project / "corpus.csv")
    path = project / "test/chorale_305.csv"
    path.parent.mkdir()
    path.write_text(chorale.to_csv(random_grid(8)))
    on = ("--prompt-rows", 4, "--rows", 2)
    assert running.kantor(project, "compose", "csv", "--prompt", path, *on) == ""
    _, described, _ = reading.read(project / "csv/0.musicxml")
    assert (described.signature, described.metre, described.pickup) == (0, "3/4", 1.0)

    shutil.copy(path, project / "alone.csv")
    assert running.kantor(project, "compose", "alone", "--prompt", "alone.csv", *on) == ""
    assert reading.read(project / "alone/0.musicxml")[1].metre == "4/4"

    assert running.kantor(project, "compose", "xml", "--prompt", "csv/0.musicxml", *on) == ""
    _, described, _ = reading.read(project / "xml/0.musicxml")
    assert (described.signature, described.metre) == (0, "3/4")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--count", "0"), "--count is 0; expected 1 or more"),
        (("--seed", "-1"), "--seed is -1; expected 0 or more"),
        (("--rows", "0"), "--rows is 0; expected 1 or more"),
        (("--prompt-rows", "-1"), "--prompt-rows is -1; expected 0 or more"),
        (("--temperature", "nan"), "kantor compose: temperature is nan"),
        (("--temperature", "-1"), "kantor compose: temperature is -1"),
        (("--top-k", "-1"), "kantor compose: top_k is -1"),
        (("--top-p", "2"), "kantor compose: top_p is 2"),
        (("--tempo", "1"), "kantor compose: tempo is 1"),
        (("--timbre", "flute"), "kantor compose: timbre is 'flute'"),
        (("--prompt", "none.csv"), "none.csv: no such chorale"),
        (("--prompt", "none.mid"), "none.mid: not a score that music21 can read"),
        (("--prompt", "two/0.csv", "--prompt-rows", "9"), "--prompt-rows is 9; two/0.csv has 5"),
        (("--model", "none.keras"), "none.keras: no such model"),
        (("--model", "params.yaml"), "params.yaml: not a model file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_before_anything_is_composed(
    monkeypatch, project, two_pieces, arguments, sentence
):
    monkeypatch.setattr("kantor.sampling.sampler.Sampler", None)
    error = running.kantor(project, "compose", "bad", *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert not (project / "bad").exists()


def test_a_model_that_predicts_no_numbers_leaves_no_folder(project, settings):
    network = small(settings, "wavenet_lstm", filters=[8], lstm=[])
    network.set_weights([weights * float("nan") for weights in network.get_weights()])
    model_file.save(network, project / "broken.keras")
    error = running.kantor(project, "compose", "broken", "--model", "broken.keras", "--rows", 2)
    assert "probabilities that are no numbers" in error and not (project / "broken").exists()
