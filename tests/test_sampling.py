import numpy as np
import pytest

from conftest import PROJECT, changed, random_grid
from kantor import chorale, model, params, sampling
from kantor.errors import KantorError
from kantor.runtime import keras

SIZES = {
    "row_gru": {"embedding": 4, "units": [8, 8], "head": 8},
    "wavenet_lstm": {"filters": [8], "lstm": [12]},
}


@pytest.fixture(scope="module", params=SIZES)
def network(request):
    chosen = params.load(PROJECT / "params.yaml").model
    keras.utils.set_random_seed(4)
    block = changed(getattr(chosen, request.param), **SIZES[request.param]).model_dump()
    return model.build(changed(chosen, architecture=request.param, **{request.param: block}))


def piece(rows=6, temperature=1.0, seed=1, prompt_rows=2):
    return sampling.Piece(chorale.encode(random_grid(prompt_rows)), rows, temperature, seed)


def test_greedy_is_what_the_notebooks_loop_gives(network):
    (ours,) = sampling.generate(network, [piece(temperature=0)])
    theirs = piece().prompt
    for _ in range(6 * 4):
        theirs = np.append(theirs, network.predict(theirs[None], verbose=0)[0, -1].argmax())
    assert ours.tolist() == theirs.tolist()


def test_a_piece_is_the_same_in_any_company_and_a_longer_one_begins_with_it(network):
    (alone,) = sampling.generate(network, [piece(seed=5)])
    others = [piece(seed=9, temperature=3.0, prompt_rows=4), piece(seed=5), piece(rows=9, seed=5)]
    _, same, longer = sampling.generate(network, others)
    assert same.tolist() == alone.tolist()
    assert longer[: len(alone)].tolist() == alone.tolist()
    assert len(longer) == (2 + 9) * 4
    (other,) = sampling.generate(network, [piece(seed=6)])
    assert other.tolist() != alone.tolist()


def test_temperature_sharpens_and_flattens():
    probabilities = np.array([0.5, 0.3, 0.2])
    draws = (np.arange(10_000) + 0.5) / 10_000
    for temperature, powers in [(0.5, 2.0), (1.0, 1.0), (3.0, 1 / 3)]:
        chosen = [sampling.choose(probabilities, temperature, draw) for draw in draws]
        expected = probabilities**powers / (probabilities**powers).sum()
        np.testing.assert_allclose(np.bincount(chosen) / 10_000, expected, atol=2e-4)
    assert {sampling.choose(probabilities, 0, draw) for draw in draws} == {0}


def test_what_is_impossible_is_never_drawn():
    probabilities = np.array([0.0, 1.0, 0.0])
    for temperature in (1e-310, 0.01, 1.0, 100.0):
        for draw in (0.0, 0.5, np.nextafter(1, 0)):
            assert sampling.choose(probabilities, temperature, draw) == 1


@pytest.mark.parametrize("probabilities", [[np.nan, 0.5], [np.inf, 0.5], [0.0, 0.0]])
def test_probabilities_that_are_none_are_an_error(probabilities):
    with pytest.raises(KantorError, match="no numbers"):
        sampling.choose(np.array(probabilities), 1.0, 0.5)
