"""A training that the system kills, again and again, ends with the same bytes."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
from clone import CONVOLUTIONS, Clone

from kantor.network import model, model_file

KILLS, EPOCHS = 10, 40


def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    # Many short epochs: a kill hits anything, the writing of a checkpoint too.
    changes = {"model.wavenet_lstm.dropout": 0.1, "model.members": 2, "train.epochs": EPOCHS}
    clone.change(CONVOLUTIONS | changes)
    clone.stage("download")
    clone.stage("preprocess")
    clone.stage("train")
    names = ("models", "reports/training.csv")
    undisturbed = clone.digests(*names)
    (clone.folder / "models/chorale.keras").unlink()
    (clone.folder / "reports/training.csv").unlink()

    def epochs() -> list[int]:
        """How many are saved of each member."""
        paths = sorted((clone.folder / "models/checkpoints").glob("*.npz"))
        return [len(json.loads(str(np.load(path)["history"]))) for path in paths]

    draw = random.Random(7)
    for kill in range(KILLS):
        before = epochs()
        # The first half hits the first member, the other half the second.
        members = 1 if kill < KILLS // 2 else 2
        command = [sys.executable, "-m", "stages.train"]
        with subprocess.Popen(
            command, cwd=clone.folder, env=clone.environment, stderr=subprocess.DEVNULL
        ) as training:
            while len(now := epochs()) < members or now <= before:
                assert training.poll() is None, "it ended before it could be killed"
                assert now >= before, "it began from the beginning"
                time.sleep(0.05)
            time.sleep(draw.uniform(0, 0.3))
            training.send_signal(signal.SIGKILL)
        assert training.returncode == -signal.SIGKILL
        assert not (clone.folder / "models/chorale.keras").exists()
    clone.stage("train")
    assert clone.digests(*names) == undisturbed

    history = pd.read_csv(clone.folder / "reports/training.csv")
    assert history["member"].value_counts().to_dict() == {1: EPOCHS, 2: EPOCHS}
    _, (one, other) = model.parts(model_file.load(clone.folder / "models/chorale.keras"))
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])
