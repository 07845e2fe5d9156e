"""A new architecture is a file and a line: it is configured, trained, scored, kept and played."""

import numpy as np
import pytest
import yaml

from helpers import committed, toy
from helpers.music import random_grid
from helpers.networks import probabilities, unlike
from helpers.stepping import stepped
from helpers.training import pieces, train
from kantor import chorale, params
from kantor.evaluation import likelihood
from kantor.network import model, model_file, registry
from kantor.params import SamplerOptions
from kantor.sampling import composing, sampler
from kantor.system.errors import KantorError
from kantor.system.runtime import keras

# What is compiled is not what is tested here.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eager")]
ARCHITECTURES = {"by notes": toy.NOTES, "by rows": toy.ROWS}


@pytest.fixture(params=ARCHITECTURES)
def settings(request, monkeypatch, tmp_path):
    """The settings of a params.yaml that names the toy, which is registered."""
    monkeypatch.setitem(registry.ARCHITECTURES, "toy", ARCHITECTURES[request.param])
    content = yaml.safe_load(committed.settings())
    content["model"] |= {"architecture": "toy", "toy": {"width": 5}}
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    return params.load(path)


def test_it_is_configured_trained_scored_kept_and_composed_with(settings, tmp_path):
    keras.utils.set_random_seed(1)
    network = model.build(settings.model)
    parts = model.parts(network)
    assert parts.steps == registry.ARCHITECTURES["toy"].steps and parts.lookback is None

    for examples in ("windows", "crops"):
        path = tmp_path / f"{examples}.npz"
        history = train(network, settings, path, examples=examples, learning_rate=0.03)
        assert history[-1]["loss"] < history[0]["loss"]

    predict = likelihood.model_predictor(network)
    records = pieces(3, 2)
    notes = likelihood.predictions(records, predict)
    assert likelihood.figures(notes)["loss"] < np.log(chorale.VOCABULARY_SIZE)

    unlike(network)  # or stepping could go wrong unseen
    rows = np.stack([chorale.encode(random_grid(12, seed)) for seed in range(2)])
    whole = probabilities(network, rows.reshape(2, -1))
    np.testing.assert_allclose(stepped(network, rows)[:, 1:], whole[:, :-1], atol=1e-5)

    model_file.save(network, tmp_path / "toy.keras")
    loaded = model_file.load(tmp_path / "toy.keras")
    assert np.array_equal(probabilities(loaded, rows.reshape(2, -1)), whole)
    assert model.parts(loaded).steps == parts.steps

    prompt = random_grid(4)
    greedy = SamplerOptions(temperature=0.0)
    (grid,) = composing.compose(loaded, [sampler.Request(prompt, 8, 1, greedy)])
    assert grid.shape == (12, 4) and np.array_equal(grid[:4], prompt)
    tokens = chorale.encode(grid).ravel()
    likeliest = probabilities(network, tokens[None])[0].argmax(axis=1)
    assert tokens[16:].tolist() == likeliest[15:-1].tolist()


def test_its_settings_are_checked_as_its_file_says(settings):
    wrong = settings.model.model_dump() | {"toy": {"width": 0}}
    with pytest.raises(KantorError, match=r"params\.yaml: model\.toy\.width is 0"):
        registry.configured(params.Model.model_validate(wrong))
    wrong["toy"] = {"width": 5, "depth": 2}
    with pytest.raises(KantorError, match=r"model\.toy\.depth: no such key; did you mean width"):
        registry.configured(params.Model.model_validate(wrong))
