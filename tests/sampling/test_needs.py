"""The memory that composing needs is estimated, and refused where it lacks, before it begins."""

import itertools

import pytest

from helpers.networks import shared
from kantor.params import SamplerOptions
from kantor.sampling import completions, composing, needs
from kantor.sampling.fragments import UNKNOWN, Fragment
from kantor.sampling.posterior import Filter
from kantor.sampling.sampler import Request
from kantor.system import memory
from kantor.system.errors import KantorError


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr(memory, "installed", lambda: 0)


def test_memory_grows_with_pieces_rows_and_particles(no_memory):
    def needed(*asked):
        """The gigabytes that it takes, as the sentence says."""
        with pytest.raises(KantorError, match=r"and this machine has 0\.0; ask for") as error:
            needs.check(*asked)
        return float(str(error.value).split("about ")[1].split(" GB")[0])

    for smaller, larger in itertools.pairwise(
        [
            (1, 64, 1),
            (200, 640, 1),
            (200, 640, 4096),
            (200, 4096, 4096),
            (10_000, 4096, 4096),
        ]
    ):
        assert needed(*smaller) < needed(*larger)
    assert 1 < needed(1, 640, 256) < 2, "which every machine has"
    assert 5 < needed(1, 4096, 4096) < 25


@pytest.mark.parametrize(
    ("particles", "advice"), [(1, "pieces$"), (4096, "pieces, or fewer particles$")]
)
def test_the_sentence_says_what_to_do(no_memory, particles, advice):
    with pytest.raises(KantorError, match=rf"^to compose 1 of 64 rows.*fewer or shorter {advice}"):
        needs.check(1, 64, particles)


def test_what_nobody_waits_for_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "installed", lambda: 99 * memory.GIGABYTE)
    with pytest.raises(
        KantorError, match=r"^to compose 10000 of 4096 .* takes about 149 days on two"
    ):
        needs.check(10_000, 4096, 4096)
    needs.check(10_000, 4096, 16)


def test_pieces_are_refused_before_any_is_composed(no_memory):
    options = SamplerOptions(particles=4096)
    requests = [
        Request(None, 640, 1),
        Request(None, 8, 2, options),
        Request(None, 4096, 3, options),
    ]
    with pytest.raises(KantorError, match=r"^to compose 1 of 640 rows takes about 1\.5 GB"):
        composing.compose(shared("rows"), requests)
    with pytest.raises(KantorError, match=r"^to compose 2 of 4096 rows with 4096 particles takes"):
        composing.compose(shared("rows"), requests[1:])


def test_completions_are_refused_before_any_is_composed(no_memory):
    fragment = Fragment([[UNKNOWN] * 4] * 8, 0, SamplerOptions())
    with pytest.raises(KantorError, match=r"^to compose 5 of 8 rows with 16 particles takes"):
        completions.different(Filter(shared("rows"), 16), fragment, 5)
