import json
import os
import subprocess
import sys

import numpy as np
import pytest

from helpers.project import PROJECT
from helpers.training import run
from kantor.system.errors import KantorError
from kantor.training import loop, schedule
from kantor.training.checkpoint import Checkpoint

OPTIONS = {
    "only a convolution": {"dropout": 0.0},
    "as by default": {"architecture": "row_gru", "examples": "crops"},
    "everything else": {
        "lstm": [4],
        "optimizer": "adamw",
        "clip_norm": 1.0,
        "class_weights": "balanced",
        "keep": "last",
        "schedule": {"kind": "plateau", "warmup_epochs": 1, "factor": 0.5, "epochs": 1},
    },
}


@pytest.fixture
def eager(monkeypatch):
    """What is tested so does not depend on the compiling, which takes longer than the training."""
    compiled = loop.compiled

    def uncompiled(*arguments):
        copy = compiled(*arguments)
        copy.jit_compile, copy.run_eagerly = False, True
        return copy

    monkeypatch.setattr(loop, "compiled", uncompiled)


class KilledError(BaseException):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "compiled"),
    [
        ("as by default", False),
        ("everything else", False),
        ("only a convolution", True),
        pytest.param("as by default", True, marks=pytest.mark.slow),
    ],
)
def test_a_killed_training_ends_as_an_undisturbed_one(
    settings, tmp_path, monkeypatch, request, name, compiled
):
    if not compiled:
        request.getfixturevalue("eager")
    options = OPTIONS[name]
    weights, history = run(settings, tmp_path / "undisturbed.npz", **options)

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
        run(settings, tmp_path / "killed.npz", **options)
    resumed, resumed_history = run(settings, tmp_path / "killed.npz", **options)

    assert resumed_history == history and len(history) == 3
    assert all(np.array_equal(a, b) for a, b in zip(resumed, weights, strict=True))


def test_a_checkpoint_of_another_training_counts_for_nothing(eager, settings, tmp_path):
    weights, _ = run(settings, tmp_path / "one.npz")
    run(settings, tmp_path / "other.npz", fingerprint="other", learning_rate=0.1)
    again, _ = run(settings, tmp_path / "other.npz")
    assert all(np.array_equal(a, b) for a, b in zip(again, weights, strict=True))


def test_a_broken_checkpoint_counts_for_nothing(eager, settings, tmp_path):
    for broken in (b"", b"half a file", b"PK\x03\x04 half a file"):
        (tmp_path / "broken.npz").write_bytes(broken)
        assert Checkpoint(tmp_path / "broken.npz", "this").load() is None
    _, history = run(settings, tmp_path / "broken.npz", epochs=1)
    assert len(history) == 1


def test_the_best_epoch_is_kept_or_the_last(eager, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "best", lambda history: 0)
    first, _ = run(settings, tmp_path / "first.npz", epochs=1)
    kept, _ = run(settings, tmp_path / "best.npz", keep="best")
    last, _ = run(settings, tmp_path / "last.npz", keep="last")
    assert all(np.array_equal(a, b) for a, b in zip(kept, first, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, last, strict=True))


def test_a_training_that_runs_away_is_an_error_and_no_model(eager, settings, tmp_path):
    with pytest.raises(KantorError, match=r"lower train\.learning_rate"):
        run(settings, tmp_path / "away.npz", rate=1e38, optimizer="sgd")


def test_batches_are_all_examples_in_their_order_untuned():
    inputs, hints = np.arange(12).reshape(6, 2), np.arange(6)
    drawn = list(loop.batches(((inputs, hints), inputs + 1, hints * 0.5), 4))
    assert [len(targets) for _, targets, _ in drawn] == [4, 2]
    for (batch, which), targets, weights in drawn:
        assert np.array_equal(batch, inputs[which]) and np.array_equal(targets, inputs[which] + 1)
        assert np.array_equal(weights, which.numpy() * 0.5)
    assert [i for (_, which), _, _ in drawn for i in which.numpy()] == list(range(6))
    assert loop.batches((inputs, inputs), 4).options().autotune.enabled is False


def test_balanced_weights_make_every_token_count_the_same():
    targets = np.array([[1, 1, 1, 2]] * 2, np.int32)
    weights = loop.class_weights(targets)
    assert weights[1] * 3 == pytest.approx(weights[2] * 1)
    assert (3 * weights[1] + weights[2]) / 4 == pytest.approx(1)
    assert weights[9] == 0, "what is never predicted needs no weight"


def test_a_token_that_counts_for_nothing_teaches_nothing(eager, settings, tmp_path, monkeypatch):
    options = {"epochs": 1, "class_weights": "balanced", "weight_decay": 0.0}
    monkeypatch.setattr(loop, "class_weights", lambda targets: np.zeros(47, np.float32))
    one, _ = run(settings, tmp_path / "one.npz", learning_rate=0.001, **options)
    other, _ = run(settings, tmp_path / "other.npz", learning_rate=0.1, **options)
    trained = [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)]
    assert not any(trained)


TRAIN = """
import json, sys
from pathlib import Path
from kantor import params
from kantor.system import runtime
runtime.pin(2, replicas=2)
assert runtime.replicated(2).num_replicas_in_sync == 2
from helpers.training import run
settings = params.load()
histories = []
for replicas in (1, 2):
    path = Path(sys.argv[1]) / f"{replicas}.npz"
    options = {"examples": "crops", "dropout": 0.0, "replicas": replicas}
    histories.append(run(settings, path, architecture="row_gru", **options)[1])
print(json.dumps(histories))
"""


@pytest.mark.slow
def test_replicas_learn_what_one_network_does(tmp_path):
    """In a process of its own, which has devices for two on its processor."""
    there = {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, tmp_path],
        cwd=PROJECT,
        env=os.environ | there,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    alone, together = json.loads(done.stdout.splitlines()[-1])
    assert len(alone) == len(together) == 3
    for one, two in zip(alone, together, strict=True):
        # Each takes its share of the same batches.
        assert two["loss"] == pytest.approx(one["loss"], abs=1e-3)
        assert two["valid_loss"] == pytest.approx(one["valid_loss"], abs=1e-3)
