import numpy as np
import pytest
from networks import small, unlike

from kantor.network import model
from kantor.system.runtime import keras

OPTIONS = {  # of the wavenet_lstm
    "as the notebook": {},
    "recurrent only": {"filters": []},
    "convolutional only": {"lstm": []},
    "two small LSTMs": {"lstm": [16, 24]},
    "wide kernel": {"kernel": 5},
    "one convolution": {"filters": [8]},
    "pooling": {"pooling": 3},
    "no normalisation": {"batch_norm": False},
    "dropout": {"dropout": 0.3},
    "penalties": {"l1": 1e-4, "l2": 1e-3},
    "all at once": {"pooling": 2, "dropout": 0.2, "l1": 1e-5, "l2": 1e-4, "kernel": 3},
}
NETWORKS = [("wavenet_lstm", options) for options in OPTIONS.values()] + [
    ("row_gru", {}),
    ("row_gru", {"embedding": 4, "units": [12], "head": 8, "dropout": 0.0}),
    ("row_gru", {"units": [16, 16, 24]}),
]


def named(case):
    return case if isinstance(case, str) else " ".join(f"{k}={v}" for k, v in case.items())


def build(chosen, architecture="wavenet_lstm", **options):
    as_set = getattr(chosen.model, architecture).model_dump()
    return unlike(small(chosen, architecture, **(as_set | options)))


@pytest.mark.parametrize(("architecture", "options"), NETWORKS, ids=named)
def test_no_place_sees_later_notes(chosen, architecture, options):
    network = build(chosen, architecture, **options)
    draw = np.random.default_rng(0)
    tokens = draw.integers(0, 47, (1, 48))
    before = network.predict(tokens, verbose=0)
    heard = 0
    for place in (1, 16, 33, 47):
        later = tokens.copy()
        later[:, place:] = (later[:, place:] + draw.integers(1, 47, later[:, place:].shape)) % 47
        after = network.predict(later, verbose=0)
        np.testing.assert_allclose(after[:, :place], before[:, :place], atol=1e-6)
        heard += np.abs(after[:, place] - before[:, place]).max() > 1e-5
    assert heard >= 2, "deaf to its own notes"


@pytest.mark.parametrize(("architecture", "options"), NETWORKS, ids=named)
def test_any_length_gives_probabilities_at_every_place(chosen, architecture, options):
    network = build(chosen, architecture, **options)
    for notes in (1, 2, 7, 131):
        given = network.predict(np.full((2, notes), 5), verbose=0)
        assert given.shape == (2, notes, 47) and given.dtype == np.float32
        np.testing.assert_allclose(given.sum(axis=-1), 1, atol=1e-5)


def test_the_wavenet_lstm_is_the_notebooks_network(chosen):
    assert build(chosen).count_params() == 396_810


@pytest.mark.parametrize("architecture", ["row_gru", "wavenet_lstm"])
def test_members_foretell_the_mean_of_what_each_foretells(chosen, architecture):
    network = small(chosen, architecture, members=3)
    one = small(chosen, architecture)
    _, cores = model.parts(network)
    _, (core,) = model.parts(one)
    draw = np.random.default_rng(2)
    tokens = draw.integers(0, 47, (2, 24))
    alone = []
    for member in cores:
        member.set_weights([draw.uniform(0.1, 1, w.shape) for w in member.get_weights()])
        core.set_weights(member.get_weights())
        alone.append(one.predict(tokens, verbose=0))
    assert not np.allclose(alone[0], alone[1], atol=1e-4)
    np.testing.assert_allclose(network.predict(tokens, verbose=0), np.mean(alone, 0), atol=1e-6)


def test_pooling_takes_the_maximum_of_a_note_and_those_before(chosen):
    _, (network,) = model.parts(build(chosen, filters=[4], pooling=3, batch_norm=False, lstm=[]))
    tokens = np.random.default_rng(1).integers(0, 47, (1, 20))
    inner = keras.Model(
        network.inputs,
        [network.get_layer("convolution_1").output, network.get_layer("pooling_1").output],
    )
    convolved, pooled = (x[0] for x in inner.predict(tokens, verbose=0))
    for place in range(20):
        np.testing.assert_array_equal(
            pooled[place], convolved[max(0, place - 2) : place + 1].max(0)
        )


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalty_counts_in_the_loss(chosen, penalty):
    assert not small(chosen, "wavenet_lstm").losses
    (core,) = model.parts(small(chosen, "wavenet_lstm", **{penalty: 0.5}))[1]
    kernels = [layer.kernel for layer in core.layers if hasattr(layer, "kernel")]
    power = 1 if penalty == "l1" else 2
    least = 0.5 * sum(np.sum(np.abs(np.asarray(kernel)) ** power) for kernel in kernels)
    assert kernels and float(sum(core.losses)) >= least * 0.999


def test_dropout_drops_in_training_alone(chosen):
    network = small(chosen, "wavenet_lstm", dropout=0.5)
    (core,) = model.parts(network)[1]
    tokens = np.arange(1, 25)[None] % 47
    once, again = (np.asarray(core(tokens, training=True)) for _ in range(2))
    assert not np.allclose(once, again)
    once, again = (np.asarray(core(tokens, training=False)) for _ in range(2))
    assert np.array_equal(once, again)
