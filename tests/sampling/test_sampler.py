import math

import numpy as np
import pytest

from helpers.music import random_grid
from helpers.networks import probabilities, shared
from kantor import chorale, params, plan
from kantor.params import SamplerOptions
from kantor.sampling import composing, sampler
from kantor.sampling.sampler import Request
from kantor.system.errors import KantorError

pytestmark = pytest.mark.xdist_group("sampler")  # they share what is compiled once
PIECES, ROWS = 8, 160  # of the shape that is compiled


@pytest.fixture(scope="module", params=["rows", "all at once"])
def network(request):
    return shared(request.param)


@pytest.fixture(scope="module")
def compose(network):
    """Composes up to PIECES pieces of up to ROWS rows in one compiled shape."""
    compiled = sampler.Sampler(network)

    def composed(requests):
        long = request(rows=ROWS, seed=99, prompt_rows=0)
        others = [long] * (PIECES - len(requests))
        return compiled.compose([*requests, *others])[: len(requests)]

    return composed


@pytest.fixture(scope="module")
def alone(network):
    """Composes one piece of up to 16 rows."""
    compiled = sampler.Sampler(network)
    return lambda request: compiled.compose([request])[0]


def request(rows=6, seed=1, prompt_rows=2, **options):
    prompt = random_grid(prompt_rows) if prompt_rows else None
    return Request(prompt, rows, seed, SamplerOptions(**options))


def greedy(rows, prompt):
    return Request(prompt, rows, 0, SamplerOptions(temperature=0.0))


@pytest.mark.slow
def test_greedy_is_what_the_notebooks_loop_gives(network, compose):
    (ours,) = compose([request(temperature=0.0)])
    theirs = chorale.encode(random_grid(2)).ravel()
    for _ in range(6 * 4):
        theirs = np.append(theirs, probabilities(network, theirs[None])[0, -1].argmax())
    assert chorale.encode(ours).ravel().tolist() == theirs.tolist()


def test_every_greedy_note_is_the_models_likeliest_over_448_notes_and_many_prompts(
    network, compose
):
    prompts = [random_grid(rows) for rows in (1, 2, 5, 16, 40)] + [np.zeros((3, 4), int)]
    grids = compose([greedy(112, prompt) for prompt in prompts])
    # What is filled up behind a piece changes nothing before it.
    filled = np.zeros((len(grids), ROWS * 4), np.int32)
    for line, grid in zip(filled, grids, strict=True):
        line[: grid.size] = chorale.encode(grid).ravel()
    likeliest = probabilities(network, filled).argmax(axis=2)
    for prompt, grid, notes, predicted in zip(prompts, grids, filled, likeliest, strict=True):
        assert len(grid) == len(prompt) + 112
        assert np.array_equal(grid[: len(prompt)], prompt)
        notes, predicted = notes[: grid.size], predicted[: grid.size]
        assert notes[prompt.size :].tolist() == predicted[prompt.size - 1 : -1].tolist()


def test_a_piece_is_the_same_in_any_company_and_a_longer_one_begins_with_it(compose, alone):
    one = alone(request(seed=5))
    others = [request(seed=9, temperature=3.0, prompt_rows=4), request(seed=5)]
    others += [request(rows=29, seed=5), request(seed=7, prompt_rows=0)]
    _, same, longer, _ = compose(others)
    assert np.array_equal(same, one)
    assert np.array_equal(longer[: len(one)], one) and len(longer) == 2 + 29
    assert not np.array_equal(alone(request(seed=6)), one)


@pytest.mark.slow
def test_without_a_prompt_pieces_begin_in_many_ways(compose):
    grids = [
        grid
        for first in range(0, 24, PIECES)
        for grid in compose([request(3, first + n, prompt_rows=0) for n in range(PIECES)])
    ]
    assert {grid.shape for grid in grids} == {(3, 4)}
    assert len({grid[0, 0] for grid in grids}) > 5


def test_a_model_that_ran_away_is_an_error(network, alone):
    weights = network.get_weights()
    network.set_weights([np.full_like(w, np.nan) for w in weights])
    try:
        with pytest.raises(KantorError, match="no numbers"):
            alone(request())
        asked = plan.regular(2, 1, 12, 4, [8])
        with pytest.raises(KantorError, match="no numbers"):
            alone(Request(None, 8, 3, SamplerOptions(guidance=1.0), asked))
    finally:
        network.set_weights(weights)


@pytest.mark.slow
def test_groups_of_pieces_make_no_difference(eager, monkeypatch):
    network = shared("recurrent only")
    requests = [request(3, seed) for seed in range(5)]
    together = composing.compose(network, requests)
    monkeypatch.setattr(composing, "PIECES_AT_ONCE", 2)
    assert np.array_equal(composing.compose(network, requests), together)


def test_the_options_of_a_piece_are_its_own(eager):
    network = shared("recurrent only")
    one = request(seed=3, temperature=5.0)
    strict = request(seed=3, temperature=5.0, top_k=1)
    likeliest = request(seed=3, temperature=0.0)
    free, tight, sure = composing.compose(network, [one, strict, likeliest])
    assert np.array_equal(tight, sure) and not np.array_equal(tight, free)
    assert np.array_equal(free, composing.compose(network, [one])[0])


def test_the_guidance_of_a_piece_is_its_own(eager):
    asked = plan.regular(2, 1, 12, 4, [8])

    def one(**options):
        return Request(None, 8, 3, SamplerOptions(**options), asked)

    network = shared("rows")
    plain, guided = composing.compose(network, [one(), one(guidance=9.0)])
    assert np.array_equal(plain, composing.compose(network, [one()])[0])
    assert not np.array_equal(guided, plain)
    selected = composing.compose(network, [one(particles=2), one(particles=2, guidance=9.0)])
    assert not np.array_equal(*selected)


@pytest.mark.slow
def test_compiled_beside_a_guided_piece_another_is_the_same(network, compose):
    asked = plan.regular(2, 1, 12, 4, [64])
    guided = Request(None, 64, 3, SamplerOptions(guidance=2.0), asked)
    plain = Request(None, 64, 3, SamplerOptions(), asked)
    (alone,) = compose([plain])
    beside, other = compose([plain, guided])
    assert np.array_equal(beside, alone)
    assert np.array_equal(other, alone) == (network.name != "row_gru")
    unasked = Request(None, 64, 3, SamplerOptions(guidance=2.0))
    assert np.array_equal(*compose([unasked, Request(None, 64, 3)]))


def test_every_piece_has_a_seed_of_its_own():
    assert len({sampler.seed_for(seed, n) for seed in range(9) for n in range(9)}) == 81
    assert sampler.seed_for(3, 1, 2) == sampler.seed_for(3, 1, 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": np.zeros(0, np.int32)}, r"a prompt of shape \(0,\)"),
        ({"prompt": np.array([60, 60, 60, 60])}, r"a prompt of shape \(4,\)"),
        ({"prompt": np.full((2, 3), 60)}, r"shape \(2, 3\).*a grid \(rows, 4\) of whole num"),
        ({"prompt": np.full((2, 4), 60.0)}, "type float64"),
        ({"prompt": np.full((2, 4), math.nan)}, "type float64"),
        ({"prompt": np.zeros((0, 4), int)}, "a prompt: no rows"),
        ({"prompt": np.array([[60, 60, 82, 60]])}, "a prompt, row 0 .*, tenor: 82"),
        ({"prompt": np.array([[60, 60, 60, -1]])}, "a prompt, row 0 .*, bass: -1"),
        ({"seed": -1}, "seed -1"),
        ({"rows": 0}, "0 rows"),
        ({"rows": -3}, "-3 rows"),
        (
            {"plan": np.zeros((2, 6), int)},
            r"a plan of shape \(2, 6\).*expected \(3, 6\), prompt incl",
        ),
        ({"plan": np.zeros((3, 6))}, "a plan of .* type float64"),
    ],
    ids=str,
)
def test_what_can_not_be_composed_is_told(changes, words):
    possible = {"prompt": np.full((1, 4), 60), "rows": 2, "seed": 1}
    Request(**possible, plan=np.zeros((3, 6), np.int32))
    with pytest.raises(KantorError, match=words):
        Request(**(possible | changes))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("rhythm", -0.1),
        ("guidance", -0.1),
    ],
)
def test_options_that_can_not_be_are_told(name, value):
    assert params.checked(SamplerOptions, {}, "kantor compose") == SamplerOptions()
    with pytest.raises(KantorError, match=f"kantor compose: {name} is {value}: expected"):
        params.checked(SamplerOptions, {name: value}, "kantor compose")
