"""Replicas of a network, on shares of the processor in a process of their own."""

import json
import os
import subprocess
import sys

import pytest

from conftest import PROJECT

TRAIN = """
import json, sys
from pathlib import Path
sys.path[:0] = [".", "tests"]
from kantor import params
from kantor.system import runtime
runtime.pin(2, replicas=2)
assert runtime.replicated(2).num_replicas_in_sync == 2
from test_training import run
chosen = params.load()
histories = []
for replicas in (1, 2):
    path = Path(sys.argv[1]) / f"{replicas}.npz"
    weights, history = run(
        chosen, path, architecture="row_gru", examples="crops", dropout=0.0, replicas=replicas
    )
    histories.append(history)
print(json.dumps(histories))
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code, *arguments]
    unseen = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, env=unseen)


def test_replicas_learn_what_one_network_does(tmp_path):
    finished = python(TRAIN, str(tmp_path))
    assert finished.returncode == 0, finished.stderr
    alone, together = json.loads(finished.stdout.splitlines()[-1])
    assert len(alone) == len(together) == 3
    for one, two in zip(alone, together, strict=True):
        # Each takes its share of the same batches.
        assert two["loss"] == pytest.approx(one["loss"], abs=1e-3)
        assert two["valid_loss"] == pytest.approx(one["valid_loss"], abs=1e-3)


def test_replicas_without_devices_are_an_error():
    finished = python("from kantor import runtime; runtime.pin(1); runtime.replicated(2)")
    assert finished.returncode == 1
    assert "train.replicas is 2: there are 1 devices of kind CPU" in finished.stderr
