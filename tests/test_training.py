import math

import numpy as np
import pytest
from networks import small

from conftest import changed
from kantor import model, training
from kantor.checkpoint import Checkpoint
from kantor.errors import KantorError
from kantor.examples import Crops, Windows
from kantor.records import Record

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
    history = training.train(
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
    step = training.Step.on_train_batch_end

    def killed(self, batch, logs=None):
        nonlocal batches
        batches += 1
        if batches == 4:  # in the middle of the second epoch of two batches
            raise KilledError
        step(self, batch, logs)

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(training.Step, "on_train_batch_end", killed)
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
    monkeypatch.setattr(training, "best", lambda history: 0)
    first, _ = run(chosen, tmp_path / "first.npz", epochs=1)
    kept, _ = run(chosen, tmp_path / "best.npz", keep="best")
    last, _ = run(chosen, tmp_path / "last.npz", keep="last")
    assert all(np.array_equal(a, b) for a, b in zip(kept, first, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, last, strict=True))


def test_a_training_that_runs_away_is_an_error_and_no_model(chosen, tmp_path):
    with pytest.raises(KantorError, match=r"lower train\.learning_rate"):
        run(chosen, tmp_path / "away.npz", learning_rate=float("1e38"), optimizer="sgd")


def rows(*losses):
    return [{"valid_loss": loss} for loss in losses]


def test_patience_ends_a_training(chosen):
    settings = changed(chosen.train, epochs=10, patience=2, patience_from=0)
    assert not training.finished([], settings)
    assert not training.finished(rows(3, 2, 2.5), settings)
    assert training.finished(rows(3, 2, 2.5, 2.4), settings)
    assert not training.finished(rows(3, 2, 2.5, 1.9), settings)
    later = changed(settings, patience_from=3)
    assert not training.finished(rows(3, 2, 2.5, 2.4), later)
    assert training.finished(rows(3, 2, 2.5, 2.4, 2.6), later)
    assert not training.finished(rows(3, 2, 2.5, 2.4, 1.9, 2.6), later)
    assert not training.finished(rows(*range(9)), changed(settings, patience=0))
    assert training.finished(rows(*range(10)), changed(settings, patience=0))


def test_plateaus_are_counted_one_by_one():
    assert training.plateaus(rows(3, 2, 1), 2) == 0
    assert training.plateaus(rows(3, 4, 3), 2) == 1
    assert training.plateaus(rows(3, 4, 3, 5, 6, 1, 1), 2) == 2


@pytest.mark.parametrize(
    ("kind", "warmup", "at", "share"),
    [
        ("constant", 0, 7.0, 1.0),
        ("constant", 2, 0.5, 0.25),
        ("constant", 2, 2.0, 1.0),
        ("exponential", 0, 5.0, 0.5),
        ("exponential", 0, 2.5, math.sqrt(0.5)),
        ("cosine", 0, 10.0, 0.5),
        ("cosine", 1, 20.0, 0.0),
        ("plateau", 0, 6.0, 0.5),
    ],
)
def test_the_learning_rate_follows_its_schedule(chosen, kind, warmup, at, share):
    schedule = {"kind": kind, "warmup_epochs": warmup, "factor": 0.5, "epochs": 5}
    settings = changed(chosen.train, learning_rate=0.01, epochs=20, schedule=schedule)
    history = rows(1, 2, 2, 2, 2, 2)
    assert training.learning_rate(settings, at, history) == pytest.approx(0.01 * share)


def test_balanced_weights_make_every_token_count_the_same():
    targets = np.array([[1, 1, 1, 2]] * 2, np.int32)
    weights = training.class_weights(targets)
    assert weights[1] * 3 == pytest.approx(weights[2] * 1)
    assert (3 * weights[1] + weights[2]) / 4 == pytest.approx(1)
    assert weights[9] == 0, "what is never foretold needs no weight"
