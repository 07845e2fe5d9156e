import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from helpers.networks import probabilities, small
from kantor.network import model_file
from kantor.system.errors import KantorError

OPTIONS = {
    "row_gru": {},
    "wavenet_lstm": {"dropout": 0.1, "l2": 1e-4, "pooling": 2, "lstm": [8]},
}
LOAD = """
import sys
import keras, numpy
assert not any(name.startswith("kantor") for name in sys.modules)
tokens = numpy.load("tokens.npy")
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    model.run_eagerly = True  # nothing to compile
    numpy.save(f"{name}.npy", model.predict_on_batch(tokens))
    print(model.evaluate(tokens[:, :-1], tokens[:, 1:]))
"""


def build(settings, architecture):
    return small(settings, architecture, members=2, **OPTIONS[architecture])


@pytest.mark.slow
def test_a_file_loads_with_nothing_but_keras_imported(settings, tmp_path):
    tokens = np.random.default_rng(0).integers(0, 47, (2, 20))
    np.save(tmp_path / "tokens.npy", tokens)
    networks = {name: build(settings, name) for name in OPTIONS}
    for name, network in networks.items():
        model_file.save(network, tmp_path / f"{name}.keras")
    command = [sys.executable, "-c", LOAD, *networks]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for name, network in networks.items():
        there = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_allclose(there, probabilities(network, tokens), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", OPTIONS)
def test_the_same_model_is_the_same_bytes(settings, tmp_path, architecture):
    models = [build(settings, architecture) for _ in range(2)]  # both alive, so elsewhere
    paths = [tmp_path / "one.keras", tmp_path / "other.keras"]
    for path, network in zip(paths, models, strict=True):
        model_file.save(network, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with zipfile.ZipFile(paths[0]) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        saved = json.loads(file.read("metadata.json"))
    assert saved["date_saved"] == "1980-01-01@00:00:00", "the clock is in no byte"


@pytest.mark.slow
@pytest.mark.parametrize("architecture", OPTIONS)
def test_a_loaded_model_predicts_as_the_saved_one(settings, tmp_path, architecture):
    network = build(settings, architecture)
    model_file.save(network, tmp_path / "chorale.keras")
    loaded = model_file.load(tmp_path / "chorale.keras")
    tokens = np.arange(20)[None]
    assert np.array_equal(probabilities(loaded, tokens), probabilities(network, tokens))


def test_no_file_and_no_model_are_told(tmp_path):
    with pytest.raises(KantorError, match="dvc repro train"):
        model_file.load(tmp_path / "chorale.keras")
    (tmp_path / "chorale.keras").write_bytes(b"no model")
    with pytest.raises(KantorError, match="not a model file"):
        model_file.load(tmp_path / "chorale.keras")
