import json

import pandas as pd
import pytest
import yaml

import study
from helpers.settings import flat
from kantor import params
from kantor.network import model
from kantor.system import core_yaml
from study import run

VARIANTS = study.variants()
# Recipes that say all of it, whatever params.yaml has, and what they don't read.
RECIPES = {
    "notebook": ("model.row_gru.", "train.crops."),
    "two_gru": ("model.wavenet_lstm.",),
    "one_gru": ("model.wavenet_lstm.",),
    "first_search_one_gru": ("model.wavenet_lstm.",),
    "first_search": ("model.wavenet_lstm.",),
    "best": ("model.wavenet_lstm.",),
}


@pytest.mark.parametrize("path", sorted(study.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_variant_differs_from_its_base_by_the_keys_in_its_file_and_no_more(settings_file, path):
    own = yaml.safe_load(path.read_text())
    settings = flat(params.load(settings_file, VARIANTS[path.stem]).model_dump())
    base = flat(params.load(settings_file, VARIANTS[own["base"]]).model_dump())
    keys = {key for key in own if "." in key}
    assert keys and own.keys() - keys <= {"base", "technique"}
    differing = {key for key in settings if settings[key] != base[key]}
    assert differing == keys if path.stem not in RECIPES else differing < keys
    assert all(settings[key] == own[key] for key in keys)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_its_own_whatever_params_yaml_says(settings, name):
    settings = settings.model_dump(include={"model", "train"})
    not_set = set(flat(settings)) - set(VARIANTS[name])
    unread = ("train.schedule.factor", "train.schedule.epochs", "train.patience_from")
    assert all(key.startswith((*unread, *RECIPES[name])) for key in not_set), not_set


def test_the_notebooks_variant_is_the_notebooks_recipe(settings_file):
    settings = params.load(settings_file, VARIANTS["notebook"])
    assert model.build(settings.model).count_params() == 396_810
    train = settings.train
    assert (train.optimizer, train.learning_rate, train.epochs) == ("nadam", 1e-3, 20)
    assert (train.examples, train.batch_size, train.patience) == ("windows", 32, 0)
    assert (settings.preprocess.window, settings.preprocess.shift) == (32, 16)


def test_what_is_done_is_not_done_again_and_all_of_it_is_in_the_table(
    tmp_path, monkeypatch, settings_file
):
    monkeypatch.setattr(run, "PROJECT", settings_file.parent)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    archive = tmp_path / "jsb_chorales.tgz"
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
            (folder / "data/records/train").write_text("records")

    monkeypatch.setattr(run, "stage", stage)
    data = run.prepared(archive)
    for seed in (1, 2, 1):
        if not run.done("notebook", seed, VARIANTS["notebook"], data):
            run.run("notebook", seed, VARIANTS["notebook"], data)
    assert run.prepared(archive) == data
    assert ran == [
        ("download", "archive", 42),
        ("preprocess", "archive", 42),
        ("train", "notebook-1", 1),
        ("evaluate", "notebook-1", 1),
        ("train", "notebook-2", 2),
        ("evaluate", "notebook-2", 2),
    ]
    assert run.done("notebook", 2, VARIANTS["notebook"], data)
    assert not run.done("notebook", 2, VARIANTS["best"], data)
    records = data / "data/records/train"
    records.write_text("other records")
    assert not run.done("notebook", 2, VARIANTS["notebook"], data), "of other data"
    records.rename(records.with_name("other name"))
    records.with_name("other name").write_text("records")
    assert not run.done("notebook", 2, VARIANTS["notebook"], data), "of other data"
    key, path = ["edition", "variant", "seed"], tmp_path / "reports/runs.csv"
    for seed in (2, 1, 2):
        run.put([run.result(data, "notebook", seed)], path, key)
    table = pd.read_csv(path)
    assert table["seed"].tolist() == [1, 2] and (table["test_windows_accuracy"] == 0.8).all()
    run.put([{"edition": "default", "variant": "best", "seed": 1}], path, key)
    assert pd.read_csv(path)["variant"].tolist() == ["notebook", "notebook", "best"], "none is lost"


def test_the_records_of_the_archive_are_made_anew_with_other_settings(
    tmp_path, monkeypatch, settings_file
):
    monkeypatch.setattr(run, "PROJECT", tmp_path)
    monkeypatch.setattr(run, "RUNS", tmp_path / "runs")
    windows = []

    def stage(name, folder):
        if name == "preprocess":
            assert not (folder / "data").exists(), "nothing of other settings is left"
            (folder / "data/records").mkdir(parents=True)
            windows.append(params.load(folder / "params.yaml").preprocess.window)

    monkeypatch.setattr(run, "stage", stage)
    for window in (32, 32, 48):
        settings = params.load(settings_file, {"preprocess.window": window})
        (tmp_path / "params.yaml").write_text(core_yaml.dump(settings.model_dump()))
        run.prepared(tmp_path / "jsb_chorales.tgz")
    (tmp_path / "runs/archive/params.yaml").write_text("of: another version")
    run.prepared(tmp_path / "jsb_chorales.tgz")
    assert windows == [32, 48, 48]
