from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from hypothesis.extra import numpy as arrays
from scipy import stats

from helpers.music import random_grid
from helpers.networks import probabilities, shared
from kantor import chorale, plan
from kantor.chorale import VOCABULARY_SIZE
from kantor.judging import motion
from kantor.judging.notes import Notes
from kantor.params import SamplerOptions
from kantor.sampling.fragments import UNKNOWN, Fragment
from kantor.sampling.posterior import Filter, Particles
from kantor.system.errors import KantorError

pytestmark = pytest.mark.xdist_group("sampler")  # they share what is compiled once
KINDS = ["rows", "all at once"]
FRAGMENTS, PARTICLES = 32, 16  # of the shape that is compiled


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    return shared(request.param)


@pytest.fixture(scope="module")
def complete(network):
    """Completes up to FRAGMENTS fragments of up to 16 rows in one compiled shape."""
    compiled = Filter(network, PARTICLES)

    def completed(fragments, originals=None):
        count = FRAGMENTS - len(fragments)
        others = [fragment(random_grid(9), 99)] * count
        if originals is not None:
            originals = [*originals, *[random_grid(9)] * count]
        return compiled.complete([*fragments, *others], originals)[: len(fragments)]

    return completed


def fragment(grid, seed=1, unknown=()):
    grid = np.array(grid)
    for cell in unknown:
        grid[cell] = UNKNOWN
    return Fragment(grid, seed)


def log_probabilities(network, grids):
    """Of each grid (n, rows, 4): the log of the probability of all notes but the first."""
    tokens = np.array([chorale.encode(grid).ravel() for grid in grids])
    predicted = np.log(probabilities(network, tokens)[:, :-1])
    return np.take_along_axis(predicted, tokens[:, 1:, None], axis=2)[:, :, 0].sum(1)


# Two cells that matter to what comes after them, of three rows. One comes late in its row, so that
# the weights of the particles differ most.
CELLS = ((0, 2), (1, 0))


@pytest.fixture(scope="module")
def exact(network):
    """The probabilities (47, 47) of what is there together with all that can be in CELLS, less that
    of the first note.
    """
    grid = random_grid(3, seed=3)
    tokens = np.tile(chorale.encode(grid), (VOCABULARY_SIZE**2, 1, 1))
    tokens[:, CELLS[0][0], CELLS[0][1]], tokens[:, CELLS[1][0], CELLS[1][1]] = np.transpose(
        [*product(range(VOCABULARY_SIZE), repeat=2)]
    )
    logs = log_probabilities(network, chorale.decode(tokens))
    return np.exp(logs).reshape(VOCABULARY_SIZE, VOCABULARY_SIZE)


@pytest.fixture(scope="module")
def first_note(complete):
    """The log of the probability of the first note of the grid in `exact`, by itself."""
    grid = random_grid(3, seed=3)
    empty = np.full_like(grid, UNKNOWN)
    empty[0, 0] = grid[0, 0]
    return complete([Fragment(empty, 0)])[0].evidence


def runs(complete, count):
    """Particles of runs with different seeds, as many at a time as are compiled."""
    grid = random_grid(3, seed=3)
    for first in range(0, count, FRAGMENTS):
        seeds = range(first, first + FRAGMENTS)
        yield complete([fragment(grid, seed, CELLS) for seed in seeds])


def cells(grids):
    tokens = chorale.encode(grids)
    return tuple(tokens[:, row, voice] for row, voice in CELLS)


def test_the_particles_have_the_exact_posterior_and_their_evidence_is_unbiased(
    complete, exact, first_note
):
    total = exact.sum()
    estimates, drawn = [], np.zeros(exact.shape)
    for some in runs(complete, 30 * FRAGMENTS):
        table = np.zeros(exact.shape)
        for one in some:
            estimates.append(np.exp(one.evidence - first_note))
            np.add.at(table, cells(one.grids), np.exp(one.log_weights) * estimates[-1])
        # All of them together, weighted by their evidence, are one set of many particles.
        generator = np.random.default_rng(len(estimates))
        numbers = generator.choice(drawn.size, 10, p=table.ravel() / table.sum())
        np.add.at(drawn.ravel(), numbers, 1)
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - total) < 4 * error < 0.4 * total
    for axis in (0, 1):
        assert fits(drawn.sum(axis), exact.sum(axis) / total)


def fits(counts, shares):
    """Whether counts (n,) are such as draws by shares (n,) give; rare ones are taken together."""
    order = np.argsort(shares)
    groups = np.minimum(np.cumsum(shares[order]) * counts.sum() // 8, 24).astype(int)
    observed, expected = (np.bincount(groups, x[order]) for x in (counts, shares * counts.sum()))
    there = expected > 4
    observed, expected = observed[there], expected[there]
    return stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4


def test_with_the_original_among_the_particles_the_inverse_of_the_evidence_is_unbiased(
    complete, exact, first_note
):
    grid, total = random_grid(3, seed=3), exact.sum()
    # The original must come from the posterior itself.
    numbers = np.random.default_rng(0).choice(exact.size, 640, p=exact.ravel() / total)
    fragments, originals, inverses = [], [], []
    for seed, number in enumerate(numbers):
        tokens = chorale.encode(grid)
        for cell, token in zip(CELLS, np.unravel_index(number, exact.shape), strict=True):
            tokens[cell] = token
        fragments.append(fragment(grid, seed, CELLS))
        originals.append(chorale.decode(tokens))
    for first in range(0, len(fragments), FRAGMENTS):
        some = slice(first, first + FRAGMENTS)
        for one, original in zip(
            complete(fragments[some], originals[some]), originals[some], strict=True
        ):
            assert np.array_equal(one.grids[0], original)
            inverses.append(np.exp(first_note - one.evidence))
    error = np.std(inverses) / np.sqrt(len(inverses))
    assert abs(np.mean(inverses) - 1 / total) < 4 * error < 0.4 / total


@settings(max_examples=12, deadline=None)
@given(arrays.arrays(bool, (9, 4)), strategies.integers(0, 99))
def test_what_is_there_is_kept(complete, mask, seed):
    grid = random_grid(9, seed)
    (one,) = complete([Fragment(np.where(mask, grid, UNKNOWN), seed)])
    assert one.grids.shape == (PARTICLES, 9, 4)
    assert (one.grids[:, mask] == grid[mask]).all()
    assert np.isclose(np.exp(one.log_weights).sum(), 1, atol=1e-4)


def test_the_likelihood_is_that_of_the_model(network, complete):
    grid = random_grid(9)
    unknown = [(4, slice(1, 4)), (5, 2), (8, 3)]
    alone = np.full_like(grid, UNKNOWN)
    alone[0, 0] = grid[0, 0]
    one, first = complete([fragment(grid, unknown=unknown), Fragment(alone, 0)])
    expected = first.evidence + log_probabilities(network, one.grids[:8])
    assert np.allclose(one.log_probabilities[:8], expected, atol=1e-3)


def test_where_all_is_there_the_evidence_is_its_likelihood_and_where_nothing_is_there_is_none(
    complete,
):
    whole, empty = complete([fragment(random_grid(9)), Fragment(np.full((9, 4), UNKNOWN), 3)])
    assert np.allclose(whole.log_probabilities, whole.evidence, atol=1e-3)
    assert abs(empty.evidence) < 1e-6 and np.allclose(empty.log_weights, -np.log(PARTICLES))
    assert len(np.unique(empty.grids, axis=0)) > PARTICLES // 2


def test_guidance_changes_what_is_composed_and_not_what_it_weighs(network, complete):
    asked, whole = plan.regular(2, 1, 12, 4, [9]), random_grid(9)
    options = SamplerOptions(), SamplerOptions(guidance=9.0)
    plain, guided = complete([Fragment(whole, 1, one, asked) for one in options])
    assert plain.evidence == guided.evidence
    assert np.array_equal(plain.log_probabilities, guided.log_probabilities)

    empty = np.full_like(whole, UNKNOWN)
    (alone,) = complete([Fragment(empty, 1, options[0], asked)])
    beside, guided = complete([Fragment(empty, 1, one, asked) for one in options])
    assert np.array_equal(beside.grids, alone.grids)
    assert np.array_equal(guided.grids, alone.grids) == (network.name != "row_gru")


def test_a_fragment_has_the_same_particles_again_and_in_any_company(complete):
    unknown = [(slice(2, 5), slice(1, 4))]
    one, again = fragment(random_grid(7), 5, unknown), fragment(random_grid(7), 5, unknown)
    other = fragment(random_grid(7), 6, unknown)
    (alone,) = complete([one])
    longer, same, different = complete([fragment(random_grid(15), 5, unknown), again, other])
    assert all(map(np.array_equal, alone, same))
    assert not np.array_equal(alone.grids, different.grids)
    assert longer.grids.shape[1] == 15


def test_what_the_model_finds_impossible_is_an_error(network, complete):
    weights = network.get_weights()
    network.set_weights([w * 1e6 for w in weights])
    try:
        with pytest.raises(KantorError, match=r"impossible|no numbers"):
            complete([fragment(random_grid(9), unknown=[(3, 1)])])
    finally:
        network.set_weights(weights)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grid": np.zeros((4, 3), int)}, "shape \\(4, 3\\)"),
        ({"grid": np.zeros((0, 4), int)}, "shape \\(0, 4\\)"),
        ({"grid": np.full((4, 4), 130)}, "a fragment, row 0"),
        ({"plan": np.zeros((3, 6), int)}, "a plan of shape"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_what_is_impossible_is_refused(changes, words):
    with pytest.raises(KantorError, match=words):
        Fragment(**{"grid": np.full((4, 4), UNKNOWN), "seed": 0} | changes)


@pytest.mark.slow
def test_composed_voices_make_no_parallels_with_any_other_if_they_are_forbidden(eager):
    grid = np.full((12, 4), UNKNOWN)
    grid[:, 3] = random_grid(12)[:, 3]
    counts = []
    for forbidden in (False, True):
        options = SamplerOptions(no_parallels=forbidden)
        (one,) = Filter(shared("recurrent only"), 24).complete([Fragment(grid, 1, options)])
        counts.append(sum(len(list(motion.parallels(Notes(own)))) for own in one.grids))
    assert counts[0] > 0 == counts[1]


def test_a_particle_is_drawn_from_weights_that_are_only_roughly_a_whole():
    logs = np.log(np.array([0.2489, 0.7489], np.float32))
    particles = Particles(np.zeros((2, 4, 4), int), logs, logs, 0.0)
    assert np.mean([particles.drawn(seed) for seed in range(400)]) == pytest.approx(0.75, abs=0.08)
