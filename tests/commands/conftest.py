"""What tests of the commands that complete pieces share."""

import shutil

import pytest

from helpers.completing import FakeFilter
from helpers.music import random_grid
from helpers.networks import small
from kantor import chorale, metadata
from kantor.metadata import Metadata
from kantor.network import model_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory, settings, settings_file):
    """A folder with settings, a chorale whose soprano goes from 60 to 79, and a tiny model."""
    folder = tmp_path_factory.mktemp("folder")
    shutil.copy(settings_file, folder)
    (folder / "data/chorales/train").mkdir(parents=True)
    grid = random_grid(64)
    grid[:, 0] = 60
    grid[-1, 0] = 79
    (folder / "data/chorales/train/chorale_000.csv").write_text(chorale.to_csv(grid))
    metadata.write([Metadata("train", 0, 64)], folder / "data/chorales/corpus.csv")
    model_file.save(small(settings, "row_gru", units=[8]), folder / "models/chorale.keras")
    return folder


@pytest.fixture
def filters(monkeypatch):
    """The stand-in for the particle filter."""
    fake = FakeFilter()
    monkeypatch.setattr("kantor.sampling.posterior.Filter", fake)
    monkeypatch.setattr("kantor.network.model_file.load_predicting", lambda path: None)
    return fake
