"""Nothing of the test split reaches the weights."""

import shutil
from dataclasses import replace

import pytest

from helpers.clone import CONVOLUTIONS, digests
from helpers.details import in_bars
from helpers.forks import Forks
from helpers.music import random_grid
from kantor import chorale, details, metadata
from kantor.commands import reproduce
from kantor.metadata import Metadata

# They share what is preprocessed once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leak")]
ARCHITECTURES = {
    "row_gru": {},
    "wavenet_lstm": CONVOLUTIONS | {"model.wavenet_lstm.lstm": [8]},
}


@pytest.fixture(scope="module")
def forks():
    with Forks() as forks:
        yield forks


@pytest.fixture(scope="module")
def data(tmp_path_factory, settings_file, forks):
    """A folder with the records as they are, `clean`, and of a `poisoned` test split."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(settings_file, folder / "params.yaml")
    reproduce.shrink(folder / "params.yaml")
    for split in chorale.SPLITS:
        (folder / "data/chorales" / split).mkdir(parents=True)
        for number in range(3):
            path = folder / "data/chorales" / chorale.file_name(split, number)
            seed = 10 * chorale.SPLITS.index(split) + number
            path.write_text(chorale.to_csv(random_grid(200, seed)))
            details.file_beside(path).write_text(details.to_csv(in_bars(200, first=number)))

    chorales = [Metadata(split, number, 200) for split in chorale.SPLITS for number in range(3)]
    metadata.write(chorales, folder / "data/chorales/corpus.csv")

    def preprocess(name):
        forks.run("preprocess", folder)
        (folder / "data/records").rename(folder / name)
        return {path.split("/")[1]: digest for path, digest in digests(folder, name).items()}

    clean = preprocess("clean")
    longer = [replace(piece, rows=600) if piece.split == "test" else piece for piece in chorales]
    metadata.write(longer, folder / "data/chorales/corpus.csv")
    for path in (folder / "data/chorales/test").glob("chorale_???.csv"):
        grid = chorale.read(path)
        # Longer, upside down and beyond the range of every other chorale.
        grid = (chorale.LOWEST + chorale.HIGHEST - grid.repeat(3, axis=0)).clip(36, 81)
        grid[::2] = chorale.HIGHEST
        path.write_text(chorale.to_csv(grid))
        details.file_beside(path).write_text(details.to_csv(in_bars(len(grid), 10)))
    poisoned = preprocess("poisoned")
    changed = {name for name in clean if poisoned[name] != clean[name]}
    assert changed == {"dataset.json", "test_pieces.tfrecord", "test_windows.tfrecord"}
    return folder


@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_poisoned_test_split_gives_the_same_weights(tmp_path, data, forks, changes):
    shutil.copy(data / "params.yaml", tmp_path)
    reproduce.change(tmp_path / "params.yaml", changes | {"train.epochs": 2})

    def trained(on: str) -> dict[str, str]:
        shutil.copytree(data / on, tmp_path / "data/records")
        forks.run("train", tmp_path)
        shutil.rmtree(tmp_path / "data")
        return digests(tmp_path, "models", "reports/training.csv")

    assert trained("poisoned") == trained("clean")
