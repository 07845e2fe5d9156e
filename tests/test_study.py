import json

import pytest
import yaml

import study
from conftest import PROJECT
from kantor import model, params
from study import run

VARIANTS = {name: changes for name, changes in study.variants().items() if changes}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_changes_keys_that_there_are_to_possible_values(name):
    plain = yaml.safe_load((PROJECT / "params.yaml").read_text())
    changed = params.load(PROJECT / "params.yaml", VARIANTS[name]).model_dump()
    for key, value in VARIANTS[name].items():
        was, now = plain, changed
        for part in key.split("."):
            was, now = was[part], now[part]
        assert now == value and was != value, f"{key} says nothing new"


def test_the_notebooks_variant_is_the_notebooks_recipe():
    chosen = params.load(PROJECT / "params.yaml", VARIANTS["notebook"])
    assert model.build(chosen.model).count_params() == 396_810
    train = chosen.train
    assert (train.optimizer, train.learning_rate, train.epochs) == ("nadam", 1e-3, 20)
    assert (train.examples, train.batch_size, train.patience) == ("windows", 32, 0)
    assert (chosen.preprocess.window, chosen.preprocess.shift) == (32, 16)


def test_what_is_done_is_not_done_again_and_all_of_it_is_in_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    ran = []

    def stage(name, folder):
        ran.append((name, folder.name, params.load(folder / "params.yaml").seed))
        if name == "evaluate":
            figures = {"loss": 0.5, "accuracy": 0.8, "onset_accuracy": 0.4}
            protocols = dict.fromkeys(("pieces", "windows", "without_near_duplicates"), figures)
            metrics = {"parameters": 9, "valid": protocols, "test": protocols}
            (folder / "reports").mkdir()
            (folder / "reports/metrics.json").write_text(json.dumps(metrics))
        if name == "preprocess":
            (folder / "data/records").mkdir(parents=True)

    monkeypatch.setattr(run, "stage", stage)
    data = run.prepared(None)
    for seed in (1, 2, 1):
        run.run("notebook", seed, VARIANTS["notebook"], data)
    assert run.prepared(None) == data
    assert ran == [
        ("download", "music21", 42),
        ("preprocess", "music21", 42),
        ("train", "notebook-1", 1),
        ("evaluate", "notebook-1", 1),
        ("train", "notebook-2", 2),
        ("evaluate", "notebook-2", 2),
    ]
    table = run.table()
    assert table["seed"].tolist() == [1, 2] and (table["test_windows_accuracy"] == 0.8).all()
