import numpy as np
import pytest

from helpers.networks import probabilities, shared
from kantor import plan
from kantor.network import model

ROWS = 12


@pytest.mark.parametrize("kind", ["rows", pytest.param("two of rows", marks=pytest.mark.slow)])
def test_a_key_counts_by_how_likely_it_makes_the_notes_so_far(kind):
    network = shared(kind)
    notes = np.random.default_rng(0).integers(1, 47, (1, ROWS, 4)).astype(np.int32)
    asked = np.repeat(plan.unknown(ROWS)[None], len(plan.KEYS), axis=0)
    asked[:, :, : plan.KEY_COLUMNS] = plan.KEYS[:, None]
    of_key = model.planned(model.parts(network))
    in_keys = probabilities(of_key, [notes.repeat(len(asked), axis=0), asked])
    in_keys = in_keys.reshape(len(asked), -1, 47).astype(np.float64)

    shares = np.full(len(asked), 1 / len(asked))
    expected = []
    for note, predicted in zip(notes.ravel(), in_keys.swapaxes(0, 1), strict=True):
        expected.append(shares @ predicted)
        shares *= predicted[:, note]
        shares /= shares.sum()
    assert shares.max() > 0.5, "keys that are all as likely would show nothing"
    whole = probabilities(network, notes.reshape(1, -1))[0]
    np.testing.assert_allclose(whole[:-1], np.stack(expected)[1:], rtol=1e-3, atol=1e-6)
