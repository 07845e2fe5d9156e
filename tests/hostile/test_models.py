"""Models that aren't ours, or no models: one sentence before anything is composed."""

import os
import shutil

import numpy as np
import pytest

from helpers import bad_models, running
from helpers.bad_scores import zipped
from helpers.music import random_grid
from kantor import chorale, metadata
from kantor.metadata import Metadata
from kantor.network import model_file
from kantor.system.errors import KantorError

pytestmark = pytest.mark.xdist_group("bad models")
INPUTS, OUTPUTS = "its inputs have shapes ", "its outputs have shapes "
NO_NUMBERS = "are no numbers, and neither are its probabilities"
MODELS = {
    "10 outputs": (lambda: bad_models.model(10), OUTPUTS + "(None, None, 10); expected one of"),
    "100 outputs": (lambda: bad_models.model(100), OUTPUTS + "(None, None, 100)"),
    "46 outputs": (lambda: bad_models.model(46), OUTPUTS + "(None, None, 46)"),
    "two inputs": (bad_models.two_inputs, INPUTS + "(None, None), (None, None); expected one"),
    "two outputs": (bad_models.two_outputs, OUTPUTS + "(None, None, 47), (None, None, 47)"),
    "of a fixed length": (lambda: bad_models.model(notes=16), INPUTS + "(None, 16); expected"),
    "dense layers alone": (bad_models.dense, INPUTS + "(None, 16); expected one of whole"),
    "of pictures": (bad_models.of_pictures, INPUTS + "(None, 28, 28, 1); expected"),
    "of texts": (bad_models.of_texts, "its input is of kind string; expected whole numbers"),
    "of yes and no": (lambda: bad_models.model(dtype="bool"), "its input is of kind bool"),
    "of complex numbers": (lambda: bad_models.model(dtype="complex64"), "kind complex64"),
    "no numbers": (
        lambda: bad_models.with_weights(bad_models.model(), lambda bias: bias * np.nan),
        NO_NUMBERS,
    ),
    "infinite weights": (
        lambda: bad_models.with_weights(bad_models.model(), lambda bias: bias - np.inf),
        NO_NUMBERS,
    ),
    "a layer of code": (bad_models.with_lambda, "not a model file that Keras can load ("),
    "strikes": (bad_models.striking, INPUTS),
}
NO_MODEL = "not a model file that Keras can load ("


def sentence(path, read=model_file.load_predicting):
    """What is said of a model that can't be used; its file is left alone."""
    before = sorted(path.parent.iterdir())
    with pytest.raises(KantorError) as told:
        read(path)
    words = str(told.value)
    assert words.startswith(f"{path}: ") and "\n" not in words and len(words) < 1000
    assert sorted(path.parent.iterdir()) == before
    return words


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_of_something_else_is_told(tmp_path, kind):
    make, words = MODELS[kind]
    assert words in sentence(bad_models.file(tmp_path, make()))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_a_model_of_notes_may_be_anybodys(tmp_path, dtype):
    network = model_file.load_predicting(bad_models.file(tmp_path, bad_models.model(dtype=dtype)))
    assert network.outputs[0].shape == (None, None, 47)


STRIKING = {
    "of notes": (bad_models.model, INPUTS + "(None, None); expected one of whole numbers (cells"),
    "of fewer features": (lambda: bad_models.striking(3), INPUTS + "(None, 3)"),
    "no numbers": (
        lambda: bad_models.with_weights(bad_models.striking(), lambda bias: bias * np.nan),
        NO_NUMBERS,
    ),
}


@pytest.mark.parametrize("kind", STRIKING)
def test_another_network_of_strikes_is_told(tmp_path, kind):
    make, words = STRIKING[kind]
    assert words in sentence(bad_models.file(tmp_path, make()), model_file.load_striking)


ODD_FILES = {
    "a folder": (lambda path: path.mkdir(), "a folder; expected a model"),
    "a pipe": (os.mkfifo, "a pipe; expected a model"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "a device; expected a model"),
    "empty": (lambda path: path.touch(), "an empty file; expected a model"),
    "missing": (lambda path: None, "no such model; run `dvc repro train`"),
    "a link to itself": (lambda path: path.symlink_to(path), "too many levels"),
    "text": (lambda path: path.write_text("x"), NO_MODEL + "not a zip archive"),
    "a zip of nothing": (lambda path: path.write_bytes(zipped({})), NO_MODEL),
    "a zip of something": (lambda path: path.write_bytes(zipped({"x": b"x"})), NO_MODEL),
    "a zip bomb": (
        lambda path: path.write_bytes(zipped({"config.json": bytes(2**29 + 1)})),
        "unpacks to 512.0 MiB; expected",
    ),
    "a long description": (
        lambda path: path.write_bytes(zipped({"config.json": bytes(2**24 + 1)})),
        NO_MODEL + "over 16 MiB of config.json",
    ),
    "an older format": (
        lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)),
        NO_MODEL + "not a zip archive",
    ),
}


@pytest.mark.parametrize("kind", ODD_FILES)
def test_what_is_no_model_is_told(tmp_path, kind):
    make, words = ODD_FILES[kind]
    path = tmp_path / "bad.keras"
    make(path)
    assert words in sentence(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of a model that is well."""
    return bad_models.file(tmp_path_factory.mktemp("saved"), bad_models.model())


@pytest.mark.parametrize("eighth", range(1, 8))
def test_a_model_that_was_cut_is_told(tmp_path, saved, eighth):
    path = tmp_path / "bad.keras"
    content = saved.read_bytes()
    path.write_bytes(content[: len(content) * eighth // 8])
    assert NO_MODEL in sentence(path)


DAMAGE = {
    "no description": {"config": None},
    "no weights": {"model": None},
    "no JSON": {"config": b"{"},
    "another JSON": {"config": b"[]"},
    "a number": {"config": b"7"},
    "deep": {"config": 10**5 * b"["},
    "an unknown class": {"config": b'{"class_name": "Ours", "module": "os", "config": {}}'},
    "a function": {
        "config": b'{"class_name": "function", "module": "os", "config": "system", '
        b'"registered_name": "function"}'
    },
    "weights of noise": {"model": bytes(range(256))},
    "empty weights": {"model": b""},
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_model_is_told(tmp_path, saved, kind):
    path = tmp_path / "bad.keras"
    shutil.copy(saved, path)
    bad_models.changed(path, **DAMAGE[kind])
    assert NO_MODEL in sentence(path)


@pytest.mark.parametrize("name", ["model.h5", "model.zip", "model"])
def test_a_model_by_another_name_is_not_opened(tmp_path, saved, name):
    path = tmp_path / name
    shutil.copy(saved, path)
    assert NO_MODEL + "another suffix" in sentence(path)


@pytest.fixture
def folder(tmp_path, settings_file):
    """A folder to compose in, with a piece and a silent model."""
    (tmp_path / "params.yaml").symlink_to(settings_file)
    (tmp_path / "data/chorales/train").mkdir(parents=True)
    grid = random_grid(16)
    for name in ("data/chorales/train/chorale_000.csv", "piece.csv"):
        (tmp_path / name).write_text(chorale.to_csv(grid))
    metadata.write([Metadata("train", 0, 16)], tmp_path / "data/chorales/corpus.csv")
    return tmp_path


COMMANDS = {
    "compose": ("compose", "out", "--plan", "none", "--rows", "2"),
    "fill": ("fill", "piece.csv", "out", "--bars", "1"),
    "harmonise": ("harmonise", "piece.csv", "out"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_composed_by_a_bad_model_or_beside_a_bad_network(folder, monkeypatch, command):
    monkeypatch.setattr("kantor.sampling.composing.compose", None)
    monkeypatch.setattr("kantor.sampling.completions.different", None)
    arguments = (*COMMANDS[command], "--model", "model.keras")
    bad_models.file(folder, bad_models.model(10), "model.keras")
    error = running.kantor(folder, *arguments)
    assert error.startswith("error: model.keras: its outputs") and "\n" not in error
    bad_models.file(folder, bad_models.model(), "model.keras")
    bad_models.file(folder, bad_models.model(), "strikes.keras")
    error = running.kantor(folder, *arguments)
    assert error.startswith("error: strikes.keras: its inputs") and "\n" not in error
    assert not (folder / "out").exists()


@pytest.mark.slow
def test_music_of_nothing_but_silence_is_told(folder):
    bad_models.file(folder, bad_models.silent(), "silent.keras")
    error = running.kantor(folder, *COMMANDS["compose"], "--model", "silent.keras")
    assert error.startswith("error: silent.keras: it composed nothing but silence; expected some")
    assert not (folder / "out").exists()
