import numpy as np
import pytest
from networks import small

from conftest import changed
from kantor.data.records import Record
from kantor.network import model
from kantor.system.errors import KantorError
from kantor.training.checkpoint import Checkpoint
from kantor.training.examples import Crops, Windows
from kantor.training import loop, schedule

OPTIONS = {
    "as by default": {"architecture": "row_gru", "examples": "crops"},
    "everything else": {
        "lstm": [8],
        "optimizer": "adamw",
        "clip_norm": 1.0,
        "class_weights": "balanced",
        "keep": "last",
        "schedule": {"kind": "plateau", "warmup_epochs": 1, "factor": 0.5, "epochs": 1},
    },
}


def pieces(count, seed, rows=16):
    draw = np.random.default_rng(seed)
    walks = draw.integers(-1, 2, (count, rows * 4)).cumsum(axis=1) + 20
    return [Record(tokens.clip(1, 46), i, 0) for i, tokens in enumerate(walks)]


def run(
    chosen,
    path,
    fingerprint="this",
    architecture="wavenet_lstm",
    lstm=(),
    dropout=0.2,
    **options,
):
    """Train a small network for three epochs; its weights and its history."""
    sizes = {"lstm": list(lstm)} if architecture == "wavenet_lstm" else {}
    network = small(chosen, architecture, seed=5, dropout=dropout, **sizes)
    recall, (core,) = model.parts(network)
    crops = chosen.train.crops.model_dump() | {"rows": 8, "passes": 1}
    defaults = {"examples": "windows", "crops": crops, "epochs": 3, "batch_size": 8}
    schedule = {"kind": "constant", "warmup_epochs": 0, "factor": 0.5, "epochs": 1}
    settings = changed(chosen.train, **(defaults | {"schedule": schedule} | options))
    if settings.examples == "windows":
        chosen_examples = Windows(pieces(16, 0), recall)
    else:
        chosen_examples = Crops(pieces(8, 0), recall, settings.crops, settings.batch_size)
    history = loop.train(
        core,
        chosen_examples,
        Windows(pieces(8, 1), recall),
        settings,
        (7,),
        Checkpoint(path, fingerprint),
    )
    return network.get_weights(), history


class KilledError(BaseException):
    pass


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_killed_training_ends_as_an_undisturbed_one(chosen, tmp_path, monkeypatch, options):
    weights, history = run(chosen, tmp_path / "undisturbed.npz", **options)

    batches = 0
    step = loop.Step.on_train_batch_end

    def killed(self, batch, logs=None):
        nonlocal batches
        batches += 1
        if batches == 4:  # in the middle of the second epoch of two batches
            raise KilledError
        step(self, batch, logs)

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(loop.Step, "on_train_batch_end", killed)
        run(chosen, tmp_path / "killed.npz", **options)
    resumed, resumed_history = run(chosen, tmp_path / "killed.npz", **options)

    assert resumed_history == history and len(history) == 3
    assert all(np.array_equal(a, b) for a, b in zip(resumed, weights, strict=True))


def test_a_checkpoint_of_another_training_counts_for_nothing(chosen, tmp_path):
    weights, _ = run(chosen, tmp_path / "one.npz")
    run(chosen, tmp_path / "other.npz", fingerprint="other", learning_rate=0.1)
    again, _ = run(chosen, tmp_path / "other.npz")
    assert all(np.array_equal(a, b) for a, b in zip(again, weights, strict=True))


def test_a_broken_checkpoint_counts_for_nothing(chosen, tmp_path):
    for broken in (b"", b"half a file", b"PK\x03\x04 half a file"):
        (tmp_path / "broken.npz").write_bytes(broken)
        assert Checkpoint(tmp_path / "broken.npz", "this").load() is None
    _, history = run(chosen, tmp_path / "broken.npz", epochs=1)
    assert len(history) == 1


def test_the_best_epoch_is_kept_or_the_last(chosen, tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "best", lambda history: 0)
    first, _ = run(chosen, tmp_path / "first.npz", epochs=1)
    kept, _ = run(chosen, tmp_path / "best.npz", keep="best")
    last, _ = run(chosen, tmp_path / "last.npz", keep="last")
    assert all(np.array_equal(a, b) for a, b in zip(kept, first, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, last, strict=True))


def test_a_training_that_runs_away_is_an_error_and_no_model(chosen, tmp_path):
    with pytest.raises(KantorError, match=r"lower train\.learning_rate"):
        run(chosen, tmp_path / "away.npz", learning_rate=float("1e38"), optimizer="sgd")


def test_batches_are_all_examples_in_their_order_untuned():
    inputs, hints = np.arange(12).reshape(6, 2), np.arange(6)
    drawn = list(loop.batches(((inputs, hints), inputs + 1, hints * 0.5), 4))
    assert [len(targets) for _, targets, _ in drawn] == [4, 2]
    for (of, which), targets, weights in drawn:
        assert np.array_equal(of, inputs[which]) and np.array_equal(targets, inputs[which] + 1)
        assert np.array_equal(weights, which.numpy() * 0.5)
    assert [i for (_, which), _, _ in drawn for i in which.numpy()] == list(range(6))
    assert loop.batches((inputs, inputs), 4).options().autotune.enabled is False


def test_balanced_weights_make_every_token_count_the_same():
    targets = np.array([[1, 1, 1, 2]] * 2, np.int32)
    weights = loop.class_weights(targets)
    assert weights[1] * 3 == pytest.approx(weights[2] * 1)
    assert (3 * weights[1] + weights[2]) / 4 == pytest.approx(1)
    assert weights[9] == 0, "what is never predicted needs no weight"


def test_a_token_that_counts_for_nothing_teaches_nothing(chosen, tmp_path, monkeypatch):
    of = {"epochs": 1, "class_weights": "balanced", "weight_decay": 0.0}
    monkeypatch.setattr(training, "class_weights", lambda targets: np.zeros(47, np.float32))
    one, _ = run(chosen, tmp_path / "one.npz", learning_rate=0.001, **of)
    other, _ = run(chosen, tmp_path / "other.npz", learning_rate=0.1, **of)
    trained = [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)]
    assert not any(trained)
