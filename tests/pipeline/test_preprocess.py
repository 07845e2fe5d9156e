"""preprocess, on made-up chorales."""

import json
import shutil

import numpy as np

from helpers import running
from helpers.details import in_bars
from helpers.music import random_grid
from kantor import chorale, details, metadata, plan
from kantor.commands import reproduce
from kantor.data import records
from kantor.metadata import Metadata


def write(folder, split, number, rows, extras=None):
    path = folder / "data/chorales" / chorale.file_name(split, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(chorale.to_csv(random_grid(rows, number)))
    if extras:
        details.file_beside(path).write_text(details.to_csv(extras))
    corpus = folder / "data/chorales/corpus.csv"
    written = [*metadata.read(corpus).values()] if corpus.exists() else []
    metadata.write([*written, Metadata(split, number, rows)], corpus)


def test_what_the_scores_know_is_in_the_records(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path / "params.yaml")
    reproduce.change(tmp_path / "params.yaml", {"preprocess.window": 8, "preprocess.shift": 8})
    struck = np.arange(80).reshape(20, 4) % 2
    write(tmp_path, "train", 1, 20, in_bars(20, 12, 8)._replace(struck=struck))
    write(tmp_path, "train", 4, 10)
    write(tmp_path, "valid", 0, 10)
    write(tmp_path, "test", 0, 10)
    assert running.stage("preprocess", tmp_path) == ""

    folder = tmp_path / "data/records"
    splits = json.loads((folder / "dataset.json").read_text())["splits"]
    with_details = {name: split["chorales_with_details"] for name, split in splits.items()}
    assert with_details == {"train": 1, "valid": 0, "test": 0}
    one, other = records.read(folder / "train_pieces.tfrecord")
    assert np.array_equal(one.struck, struck)
    assert one.plan[:, plan.PLACE].tolist() == [8, 9, 10, 11, *range(12), 0, 1, 2, 3]
    assert set(one.plan[:, plan.BAR]) == {12}
    assert set(other.struck.flat) == set(other.plan[:, plan.PLACE]) == {-1}
    _, second, _ = records.read(folder / "train_windows.tfrecord")
    assert second.row == 8 and np.array_equal(second.struck, struck[8:17])
    assert second.plan[:, plan.LEFT].tolist() == list(range(12, 3, -1))


def test_details_of_another_length_are_told(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path / "params.yaml")
    write(tmp_path, "train", 0, 40, in_bars(39))
    sentence = running.stage("preprocess", tmp_path)
    assert "chorale_000.details.csv: 39 rows; expected 40" in sentence
