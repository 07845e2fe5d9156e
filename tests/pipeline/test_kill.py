"""A training that the system kills, again and again, ends with the same bytes."""

import json
import os
import random
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest

from helpers.clone import CONVOLUTIONS, digests
from helpers.forks import Forks
from helpers.music import random_grid
from kantor import chorale, metadata
from kantor.commands import reproduce
from kantor.metadata import Metadata
from kantor.network import model, model_file

KILLS, EPOCHS = 4, 24
OUTPUTS = ("models", "reports/training.csv")


@pytest.mark.slow
def test_kills_at_random_moments_change_nothing(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path / "params.yaml")
    reproduce.shrink(tmp_path / "params.yaml")
    # Many short epochs: a kill hits anything, the writing of a checkpoint too.
    changes = {"model.wavenet_lstm.dropout": 0.1, "model.members": 2, "train.epochs": EPOCHS}
    reproduce.change(tmp_path / "params.yaml", CONVOLUTIONS | changes)
    for number, split in enumerate(chorale.SPLITS):
        path = tmp_path / "data/chorales" / chorale.file_name(split, number)
        path.parent.mkdir(parents=True)
        path.write_text(chorale.to_csv(random_grid(200, number)))
    chorales = [Metadata(split, number, 200) for number, split in enumerate(chorale.SPLITS)]
    metadata.write(chorales, tmp_path / "data/chorales/corpus.csv")

    def epochs() -> list[int]:
        """How many are saved of each member."""
        paths = sorted((tmp_path / "models/checkpoints").glob("*.npz"))
        return [len(json.loads(str(np.load(path)["history"]))) for path in paths]

    draw = random.Random(7)
    with Forks() as forks:
        forks.run("preprocess", tmp_path)
        forks.run("train", tmp_path)
        undisturbed = digests(tmp_path, *OUTPUTS)
        (tmp_path / "models/chorale.keras").unlink()
        (tmp_path / "reports/training.csv").unlink()

        for kill in range(KILLS):
            before = epochs()
            # The first half hits the first member, the other half the second.
            members = 1 if kill < KILLS // 2 else 2
            training = forks.start("train", tmp_path)
            while len(now := epochs()) < members or now <= before:
                os.kill(training, 0)  # ProcessLookupError: it ended before it could be killed
                assert now >= before, "it began from the beginning"
                time.sleep(0.02)
            time.sleep(draw.uniform(0, 0.1))
            os.kill(training, signal.SIGKILL)
            assert forks.wait() == -signal.SIGKILL
            assert not (tmp_path / "models/chorale.keras").exists()
        forks.run("train", tmp_path)
    assert digests(tmp_path, *OUTPUTS) == undisturbed

    history = pd.read_csv(tmp_path / "reports/training.csv")
    assert history["member"].value_counts().to_dict() == {1: EPOCHS, 2: EPOCHS}
    one, other = model.parts(model_file.load(tmp_path / "models/chorale.keras")).members
    assert not np.array_equal(one.get_weights()[0], other.get_weights()[0])
