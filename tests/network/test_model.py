import numpy as np
import pytest

from helpers.networks import EACH_KIND, probabilities, shared, small, unlike
from helpers.settings import changed
from kantor import plan
from kantor.network import model, voice_leading
from kantor.system.errors import KantorError
from kantor.system.runtime import keras


@pytest.mark.parametrize("kind", EACH_KIND)
def test_no_place_sees_later_notes(kind):
    draw = np.random.default_rng(0)
    tokens = draw.integers(0, 47, 40)
    places = (1, 16, 29, 39)
    changes = []
    for place in places:
        later = tokens.copy()
        later[place:] = (later[place:] + draw.integers(1, 47, len(later) - place)) % 47
        changes.append(later)
    before, *after = probabilities(shared(kind), np.stack([tokens, *changes]))
    heard = 0
    for place, one in zip(places, after, strict=True):
        np.testing.assert_allclose(one[:place], before[:place], atol=1e-6)
        heard += np.abs(one[place] - before[place]).max() > 1e-5
    assert heard >= 2, "deaf to its own notes"


@pytest.mark.parametrize("kind", EACH_KIND)
def test_any_length_gives_probabilities_at_every_place(kind):
    for notes in (1, 2, 7, 33):
        predicted = probabilities(shared(kind), np.full((2, notes), 5))
        assert predicted.shape == (2, notes, 47) and predicted.dtype == np.float32
        np.testing.assert_allclose(predicted.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.slow
def test_predict_is_what_a_call_gives():
    """Only this test compiles what the others call."""
    tokens = np.random.default_rng(3).integers(0, 47, (2, 20))
    network = shared("rows")
    np.testing.assert_allclose(
        network.predict(tokens, verbose=0), probabilities(network, tokens), atol=1e-6
    )


def test_the_wavenet_lstm_is_the_notebooks_network(settings):
    network = model.build(changed(settings.model, architecture="wavenet_lstm"))
    assert network.count_params() == 396_810


def test_rows_of_an_arpeggio_end_with_one_that_is_not_whole():
    arpeggio = keras.layers.Input((None,), dtype="int32")
    network = keras.Model(arpeggio, model.rows_of(arpeggio))
    tokens = np.arange(1, 11)
    for notes, last in [(1, [1, 0, 0, 0]), (6, [5, 6, 0, 0]), (8, [0] * 4), (10, [9, 10, 0, 0])]:
        (rows,) = probabilities(network, tokens[None, :notes])
        whole = tokens[: notes // 4 * 4].reshape(-1, 4)
        assert rows.tolist() == [*whole.tolist(), last]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["row_gru", "wavenet_lstm"])
def test_members_predict_the_geometric_mean_of_what_each_predicts(settings, architecture):
    network = small(settings, architecture, members=3)
    one = small(settings, architecture)
    (alone,), members = model.parts(one).members, model.parts(network).members
    draw = np.random.default_rng(2)
    tokens = draw.integers(0, 47, (2, 24))
    if architecture == "row_gru":
        # Told its key, since what all keys predict is no mean of what members do.
        network, one = (model.planned(model.parts(x)) for x in (network, one))
        tokens = [tokens.reshape(2, 6, 4), np.stack([plan.regular(2, 1, 12, 4, [6])] * 2)]
    predictions = []
    for member in members:
        member.set_weights([draw.uniform(0.1, 0.5, w.shape) for w in member.get_weights()])
        alone.set_weights(member.get_weights())
        predictions.append(probabilities(one, tokens))
    assert len(predictions) == 3 and not np.allclose(*predictions[:2], atol=1e-4)
    expected = np.exp(np.mean(np.log(predictions), 0))
    expected /= expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(probabilities(network, tokens), expected, atol=1e-6)


def test_a_network_not_built_here_is_its_own_only_member():
    layers = keras.layers
    network = keras.Sequential([layers.Input((None,)), layers.Embedding(47, 47)])
    assert model.parts(network) == model.Parts("notes", None, [network])


@pytest.mark.parametrize("name", ["row_gru", "wavenet_lstm"])
def test_a_network_of_an_earlier_version_is_told(name):
    arpeggio = keras.layers.Input((None,))
    network = keras.Model(arpeggio, keras.layers.Embedding(47, 47)(arpeggio), name=name)
    with pytest.raises(KantorError, match=f"{name}: made by an earlier version; run `dvc repro"):
        model.parts(network)


def test_a_file_that_reads_no_copies_is_of_an_earlier_version():
    told = model.planned(model.parts(shared("rows")))
    network = keras.Model(told.inputs, told.outputs, name="row_gru")
    with pytest.raises(KantorError, match="row_gru: made by an earlier version"):
        model.parts(network)


def test_pooling_takes_the_maximum_of_a_note_and_those_before(settings):
    options = {"filters": [4], "pooling": 3, "batch_norm": False, "lstm": []}
    (network,) = model.parts(unlike(small(settings, "wavenet_lstm", **options))).members
    tokens = np.random.default_rng(1).integers(0, 47, (1, 20))
    outputs = [network.get_layer(f"{name}_1").output for name in ("convolution", "pooling")]
    convolved, pooled = (x[0].numpy() for x in keras.Model(network.inputs[0], outputs)(tokens))
    for place in range(20):
        np.testing.assert_array_equal(
            pooled[place], convolved[max(0, place - 2) : place + 1].max(0)
        )


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalty_counts_in_the_loss(settings, penalty):
    assert not small(settings, "wavenet_lstm").losses
    (member,) = model.parts(small(settings, "wavenet_lstm", **{penalty: 0.5})).members
    kernels = [layer.kernel for layer in member.layers if hasattr(layer, "kernel")]
    power = 1 if penalty == "l1" else 2
    least = 0.5 * sum(np.sum(np.abs(np.asarray(kernel)) ** power) for kernel in kernels)
    assert kernels and float(sum(member.losses)) >= least * 0.999


@pytest.mark.parametrize("architecture", ["row_gru", "wavenet_lstm"])
def test_dropout_drops_in_training_alone(settings, architecture):
    network = small(settings, architecture, dropout=0.5)
    tokens = np.arange(1, 25)[None] % 47
    once, again = (network(tokens, training=True).numpy() for _ in range(2))
    assert not np.allclose(once, again)
    once, again = (network(tokens, training=False).numpy() for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("all", [True] * 3), ("none", [False] * 3), ("alternate", [False, True, False])],
)
def test_members_hear_the_other_voices_as_the_setting_says(settings, setting, expected):
    network = small(settings, "row_gru", members=3, voice_leading=setting)
    names = [[layer.name for layer in member.layers] for member in model.parts(network).members]
    assert ["bass_under_soprano" in own for own in names] == expected


@pytest.mark.parametrize(("architecture", "rules"), [("row_gru", 6), ("wavenet_lstm", 0)])
def test_a_trained_network_is_finished_as_its_architecture_says(settings, architecture, rules):
    network = small(settings, architecture, members=2)
    layers = [layer for member in model.parts(network).members for layer in member.layers]
    before = [layer.get_weights() for layer in layers]
    model.finish(network, changed(settings.model, architecture=architecture))
    different = [
        layer.name
        for layer, weights in zip(layers, before, strict=True)
        if not all(map(np.array_equal, weights, layer.get_weights()))
    ]
    assert len(different) == 2 * rules
    assert all(name.endswith(voice_leading.PARALLELS) for name in different)
