"""Nothing of the test split reaches the weights."""

import pytest
from clone import Clone

from kantor import chorale

ARCHITECTURES = {
    "row_gru": {},
    "wavenet_lstm": {
        "model.architecture": "wavenet_lstm",
        "model.wavenet_lstm.filters": [8],
        "model.wavenet_lstm.lstm": [8],
        "train.examples": "windows",
    },
}


@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_a_poisoned_test_split_gives_the_same_weights(tmp_path, changes):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    clone.change(changes | {"train.epochs": 2})
    clone.stage("download")

    def trained() -> tuple[dict, dict]:
        clone.stage("preprocess")
        clone.stage("train")
        return clone.digests("models", "reports/training.csv"), clone.digests("data/records")

    weights, records = trained()
    for path in (clone.folder / "data/chorales/test").glob("*.csv"):
        grid = chorale.read(path)
        # Longer, upside down and beyond the range of every other chorale.
        grid = (chorale.LOWEST + chorale.HIGHEST - grid.repeat(3, axis=0)).clip(36, 81)
        grid[::2] = chorale.HIGHEST
        path.write_text(chorale.to_csv(grid))
    poisoned, poisoned_records = trained()
    assert poisoned == weights
    differing = {name for name in records if records[name] != poisoned_records[name]}
    assert differing == {
        f"data/records/{name}"
        for name in ("dataset.json", "test_pieces.tfrecord", "test_windows.tfrecord")
    }
