import numpy as np
import pytest

from helpers import chorales
from helpers.made_up import made_up
from kantor.judging.grade import FEATURES
from kantor.judging.standard import Standard


@pytest.fixture(scope="module")
def pieces():
    draw = np.random.Generator(np.random.Philox(3))
    return [made_up(draw) for _ in range(7)]


def test_the_share_of_worse_pieces(pieces):
    standard = Standard.fit(pieces[:3], pieces[3:])
    ranked = sorted(standard.grades)
    assert standard.worse(ranked[0]) == 0.75 and standard.worse(ranked[-1]) == 0
    assert standard.worse(ranked[0] - 1) == 1
    assert ranked[1] <= standard.median <= ranked[2]


def test_the_worst_feature_comes_first(pieces):
    standard = Standard.fit(pieces[:3], pieces[3:])
    distances = {name: float(np.median(standard.distances[name])) for name in FEATURES}
    rows = standard.compared(distances | {"bass": distances["bass"] + 2, "alto": 0})
    assert rows[0][0] == "bass" and rows[-1][0] == "alto"
    assert rows[0][1] - rows[0][2] == pytest.approx(2)


def test_random_notes_are_worse_than_all_of_bach():
    training, validation = (chorales.of_split(split) for split in ("train", "valid"))
    standard = Standard.fit(training, validation)
    noise = np.random.Generator(np.random.Philox(1)).integers(45, 70, (100, 4))
    assert standard.worse(standard.reference.grade(noise)) == 0
