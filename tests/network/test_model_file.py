import subprocess
import sys
import time

import numpy as np
import pytest
from networks import small

from kantor.network import model_file
from kantor.system.errors import KantorError

OPTIONS = {
    "row_gru": {},
    "wavenet_lstm": {"dropout": 0.1, "l2": 1e-4, "pooling": 2, "lstm": [8]},
}


@pytest.fixture(params=OPTIONS)
def build(chosen, request):
    return lambda: small(chosen, request.param, members=2, **OPTIONS[request.param])


@pytest.fixture
def network(build):
    return build()


def test_the_file_loads_with_nothing_but_keras_imported(network, tmp_path):
    path = tmp_path / "chorale.keras"
    model_file.save(network, path)
    tokens = np.random.default_rng(0).integers(0, 47, (2, 20))
    np.save(tmp_path / "tokens.npy", tokens)
    load = (
        "import keras, numpy, sys;"
        "assert not any(name.startswith('kantor') for name in sys.modules);"
        "model = keras.models.load_model('chorale.keras');"
        "numpy.save('given.npy', model.predict(numpy.load('tokens.npy'), verbose=0));"
        "print(model.evaluate(numpy.load('tokens.npy')[:, :-1], numpy.load('tokens.npy')[:, 1:]))"
    )
    subprocess.run([sys.executable, "-c", load], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "given.npy"), network.predict(tokens, verbose=0), atol=1e-6
    )


def test_the_same_model_is_the_same_bytes(build, tmp_path):
    models = [build(), build()]  # both alive, so at other addresses
    for name, network in zip(("one.keras", "other.keras"), models, strict=True):
        model_file.save(network, tmp_path / name)
        time.sleep(2)  # a zip archive counts time in steps of two seconds
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()


def test_no_file_and_no_model_are_told(tmp_path):
    with pytest.raises(KantorError, match="dvc repro train"):
        model_file.load(tmp_path / "chorale.keras")
    (tmp_path / "chorale.keras").write_bytes(b"no model")
    with pytest.raises(KantorError, match="not a model file"):
        model_file.load(tmp_path / "chorale.keras")
