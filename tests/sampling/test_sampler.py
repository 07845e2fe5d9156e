import numpy as np
import pytest
from networks import SIZES, small, unlike

from conftest import random_grid
from kantor import chorale
from kantor.sampling import sampler
from kantor.system.errors import KantorError
from kantor.system.runtime import tf


@pytest.fixture(params=SIZES)
def network(request, chosen):
    return unlike(small(chosen, request.param))


def piece(rows=6, seed=1, prompt_rows=2, **options):
    prompt = chorale.encode(random_grid(prompt_rows)) if prompt_rows else None
    return sampler.Piece(prompt, rows, seed, **options)


def chosen_tokens(probabilities, draws, temperature=1.0, top_k=None, top_p=None):
    """What is chosen from probabilities (47,), given or the rest 0, for each draw."""
    padded = np.zeros((len(draws), chorale.VOCABULARY_SIZE), np.float32)
    padded[:, : len(probabilities)] = probabilities
    how = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    how = {name: tf.fill(len(draws), value) for name, value in how.items() if value is not None}
    return sampler.choose(tf.constant(padded), tf.constant(draws, tf.float32), **how).numpy()


def test_greedy_is_what_the_notebooks_loop_gives(network):
    (ours,) = sampler.generate(network, [piece(temperature=0.0)])
    theirs = piece().prompt
    for _ in range(6 * 4):
        theirs = np.append(theirs, network.predict(theirs[None], verbose=0)[0, -1].argmax())
    assert ours.tolist() == theirs.tolist()


def test_every_greedy_note_is_the_models_likeliest_over_448_notes_and_five_prompts(network):
    prompts = [piece(112, temperature=0.0, prompt_rows=rows) for rows in (1, 2, 5, 16, 40)]
    for of, arpeggio in zip(prompts, sampler.generate(network, prompts), strict=True):
        known = len(of.prompt)
        assert len(arpeggio) == known + 448
        assert arpeggio[:known].tolist() == of.prompt.tolist()
        given = network.predict(arpeggio[None], verbose=0)[0]
        assert arpeggio[known:].tolist() == given[known - 1 : -1].argmax(axis=1).tolist()


def test_a_piece_is_the_same_in_any_company_and_a_longer_one_begins_with_it(network):
    (alone,) = sampler.generate(network, [piece(seed=5)])
    others = [piece(seed=9, temperature=3.0, prompt_rows=4), piece(seed=5), piece(rows=29, seed=5)]
    others += [piece(seed=seed, prompt_rows=seed % 3) for seed in range(20)]
    _, same, longer, *_ = sampler.generate(network, others)
    assert same.tolist() == alone.tolist()
    assert longer[: len(alone)].tolist() == alone.tolist()
    assert len(longer) == (2 + 29) * 4
    (other,) = sampler.generate(network, [piece(seed=6)])
    assert other.tolist() != alone.tolist()


def test_groups_of_pieces_make_no_difference(network, monkeypatch):
    pieces = [piece(3, seed) for seed in range(5)]
    together = sampler.generate(network, pieces)
    monkeypatch.setattr(sampling, "PIECES_AT_ONCE", 2)
    assert np.array_equal(sampler.generate(network, pieces), together)


def test_without_a_prompt_pieces_begin_in_many_ways(network):
    composed = sampler.generate(network, [piece(3, seed, 0) for seed in range(30)])
    assert {len(arpeggio) for arpeggio in composed} == {12}
    assert len({arpeggio[0] for arpeggio in composed}) > 5


def test_temperature_sharpens_and_flattens():
    probabilities = np.array([0.5, 0.3, 0.2])
    draws = (np.arange(10_000) + 0.5) / 10_000
    for temperature, powers in [(0.5, 2.0), (1.0, 1.0), (3.0, 1 / 3)]:
        tokens = chosen_tokens(probabilities, draws, temperature)
        expected = probabilities**powers / (probabilities**powers).sum()
        counts = np.bincount(tokens, minlength=3) / 10_000
        np.testing.assert_allclose(counts, expected, atol=2e-4)
    assert set(chosen_tokens(probabilities, draws, 0.0)) == {0}


@pytest.mark.parametrize(
    ("top_k", "top_p", "left"),
    [
        (47, 1.0, 5),
        (3, 1.0, 3),
        (1, 1.0, 1),
        (47, 0.69, 3),
        (47, 0.6, 2),
        (47, 0.1, 1),
        (3, 0.7, 2),
    ],
)
def test_only_the_likeliest_are_left(top_k, top_p, left):
    probabilities = np.array([0.1, 0.25, 0.2, 0.4, 0.05])
    draws = (np.arange(10_000) + 0.5) / 10_000
    tokens = chosen_tokens(probabilities, draws, 1.0, top_k, top_p)
    kept = np.argsort(-probabilities)[:left]
    expected = np.where(np.isin(np.arange(5), kept), probabilities, 0)
    counts = np.bincount(tokens, minlength=5) / 10_000
    np.testing.assert_allclose(counts, expected / expected.sum(), atol=2e-4)


def test_of_the_equally_likely_the_lowest_are_left():
    draws = np.linspace(0, 0.999, 50)
    assert set(chosen_tokens(np.full(6, 1 / 6), draws, 1.0, 2, 1.0)) == {0, 1}
    assert set(chosen_tokens(np.full(6, 1 / 6), draws, 0.0)) == {0}


def test_the_options_of_a_piece_are_its_own(network):
    one = piece(seed=3, temperature=5.0)
    strict = piece(seed=3, temperature=5.0, top_k=1)
    likeliest = piece(seed=3, temperature=0.0)
    free, tight, greedy = sampler.generate(network, [one, strict, likeliest])
    assert tight.tolist() == greedy.tolist() != free.tolist()
    assert free.tolist() == sampler.generate(network, [one])[0].tolist()


def test_what_is_impossible_is_never_drawn():
    draws = np.array([0.0, 0.5, np.nextafter(1, 0)])
    for temperature in (1e-310, 0.01, 1.0, 100.0):
        assert set(chosen_tokens(np.array([0.0, 1.0, 0.0]), draws, temperature)) == {1}


@pytest.mark.parametrize("probabilities", [[np.nan, 0.5], [np.inf, 0.5], [0.0, 0.0]])
def test_no_token_is_drawn_from_what_are_no_probabilities(probabilities):
    assert chosen_tokens(np.array(probabilities), np.array([0.5])).tolist() == [sampler.NONE]


def test_a_model_that_ran_away_is_an_error(network):
    network.set_weights([np.full_like(w, np.nan) for w in network.get_weights()])
    with pytest.raises(KantorError, match="no numbers"):
        sampler.generate(network, [piece()])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prompt": np.zeros(0, np.int32)}, r"a prompt of shape \(0,\)"),
        ({"prompt": np.array([1, 2, 3])}, "whole row"),
        ({"prompt": np.array([1, 2, 3, 47])}, r"\[47\] in its prompt; expected tokens, 0 to 46"),
        ({"prompt": np.array([1, 2, 3, -1])}, r"\[-1\] in its prompt"),
        ({"prompt": np.array([1, 2, 3, np.nan])}, r"\[nan\] in its prompt"),
        ({"prompt": np.array([[1, 2, 3, 4]])}, r"a prompt of shape \(1, 4\)"),
        ({"seed": -1}, "seed -1"),
        ({"rows": 0}, "0 rows"),
        ({"rows": -3}, "-3 rows"),
        ({"temperature": -0.1}, "temperature -0.1"),
        ({"temperature": float("nan")}, "temperature nan"),
        ({"temperature": float("inf")}, "temperature inf"),
        ({"top_k": -1}, "top_k -1"),
        ({"top_p": 0.0}, "top_p 0.0"),
        ({"top_p": 1.1}, "top_p 1.1"),
    ],
    ids=str,
)
def test_what_can_not_be_composed_is_told(changes, told):
    asked = {"prompt": np.array([1, 2, 3, 4]), "rows": 2, "seed": 1}
    sampler.Piece(**asked)
    with pytest.raises(KantorError, match=told):
        sampler.Piece(**(asked | changes))
