"""A training that the system kills, again and again, ends with the same bytes."""

import random
import signal
import subprocess
import sys
import time

from clone import Clone

KILLS = 10


def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    # Many short epochs: a kill hits anything, the writing of a checkpoint too.
    changes = {
        "model.architecture": "wavenet_lstm",
        "model.wavenet_lstm.filters": [8],
        "model.wavenet_lstm.lstm": [],
        "model.wavenet_lstm.dropout": 0.1,
        "train.examples": "windows",
        "train.epochs": 150,
    }
    clone.change(changes)
    clone.stage("download")
    clone.stage("preprocess")
    clone.stage("train")
    names = ("models", "reports/training.csv")
    undisturbed = clone.digests(*names)
    (clone.folder / "models/chorale.keras").unlink()
    (clone.folder / "reports/training.csv").unlink()

    checkpoint = clone.folder / "models/checkpoint.npz"
    draw = random.Random(7)
    for _ in range(KILLS):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        command = [sys.executable, "-m", "stages.train"]
        with subprocess.Popen(
            command, cwd=clone.folder, env=clone.environment, stderr=subprocess.DEVNULL
        ) as training:
            while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
                assert training.poll() is None, "it ended before it could be killed"
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.7))
            training.send_signal(signal.SIGKILL)
        assert training.returncode == -signal.SIGKILL
        assert not (clone.folder / "models/chorale.keras").exists()
    said = clone.stage("train")
    assert "epoch 1," not in said, "it began from the beginning"
    assert clone.digests(*names) == undisturbed
