"""Nothing of the test split reaches the weights."""

import shutil

import pytest
from clone import CONVOLUTIONS, Clone

from kantor import chorale

pytestmark = pytest.mark.xdist_group("leak")  # they share what is preprocessed once
ARCHITECTURES = {
    "row_gru": {},
    "wavenet_lstm": CONVOLUTIONS | {"model.wavenet_lstm.lstm": [8]},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with the records as they are, `clean`, and of a `poisoned` test split."""
    clone = Clone(tmp_path_factory.mktemp("clone") / "kantor")
    clone.shrink()
    clone.stage("download")
    clone.stage("preprocess")
    folder = clone.folder / "data"
    shutil.copytree(folder / "records", folder / "clean")
    for path in (folder / "chorales/test").glob("*.csv"):
        grid = chorale.read(path)
        # Longer, upside down and beyond the range of every other chorale.
        grid = (chorale.LOWEST + chorale.HIGHEST - grid.repeat(3, axis=0)).clip(36, 81)
        grid[::2] = chorale.HIGHEST
        path.write_text(chorale.to_csv(grid))
    clone.stage("preprocess")
    (folder / "records").rename(folder / "poisoned")
    clean, poisoned = clone.digests("data/clean"), clone.digests("data/poisoned")
    same = {name for name, digest in clean.items() if digest in poisoned.values()}
    assert {name.removeprefix("data/clean/") for name in clean.keys() - same} == {
        "dataset.json",
        "test_pieces.tfrecord",
        "test_windows.tfrecord",
    }
    return folder


@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_poisoned_test_split_gives_the_same_weights(tmp_path, data, changes):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    clone.change(changes | {"train.epochs": 2})

    def trained(on: str) -> dict[str, str]:
        shutil.copytree(data / on, clone.folder / "data/records")
        clone.stage("train")
        shutil.rmtree(clone.folder / "data/records")
        return clone.digests("models", "reports/training.csv")

    assert trained("poisoned") == trained("clean")
