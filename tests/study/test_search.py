"""The search: what it draws, how trials end, and what comes of it."""

import json
import re
import shutil
import subprocess
import sys

import optuna
import pandas as pd
import pytest
import yaml

from helpers.clone import CONVOLUTIONS, Clone
from helpers.project import PROJECT
from helpers.searching import SEARCH, Searching
from helpers.settings import flat
from kantor import params
from kantor.system import core_yaml
from kantor.system.errors import KantorError
from study import space, training

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
RATES = {"train.learning_rate": {"choices": [0.004, 0.005]}}


@pytest.fixture
def searching(tmp_path):
    return Searching(tmp_path / "kantor")


def test_a_search_ends_with_what_is_best_and_how_to_set_it(searching, monkeypatch, capsys):
    searching.search(monkeypatch)
    printed = capsys.readouterr()
    table = searching.table()
    assert len(table) == 12 and set(table["state"]) == {"complete", "pruned"}
    present = params.load(PROJECT / "params.yaml").train
    first = table.iloc[0]
    assert first["train.learning_rate"] == present.learning_rate, "the first is what there is"

    report = searching.report
    best = yaml.safe_load((report / "best.yaml").read_text())
    complete = table[table["state"] == "complete"]
    winner = complete.loc[complete["valid_loss"].idxmin()]
    # A pruned trial has none of the loss that others are judged by.
    assert table["valid_loss"].isna().equals(table["state"] == "pruned")
    assert (table["windows_loss"] > table["valid_loss"].min()).all()
    rate = winner["train.learning_rate"]  # rounded to six digits
    assert best["train"]["learning_rate"] == pytest.approx(rate, rel=1e-5)
    assert best["model"]["row_gru"]["units"] == json.loads(winner["model.row_gru.units"])
    assert "epochs" not in best["train"], "which was only shorter for the search"
    assert f"the best of 12: trial {winner['trial']}, validation loss" in printed.out
    assert "-S 'train.learning_rate=" in printed.out
    assert re.search(r"^search: 12 of 12 trials", printed.err, re.M), printed.err
    assert all((report / name).stat().st_size > 5000 for name in ("history.svg", "importance.svg"))
    assert yaml.safe_load((report / "search.yaml").read_text()) == SEARCH
    # What a trial could see of the data.
    seen = list(searching.trials.glob("*/data/records"))
    assert len(seen) == 12
    for records in seen:
        names = {path.stem for path in records.iterdir()}
        assert names == {"dataset", "train_pieces", "valid_pieces", "valid_windows"}
    # Whose models are of no more use.
    assert not list(searching.trials.glob("*/models"))


@pytest.mark.slow
def test_the_search_itself_loads_no_tensorflow():
    code = "import sys, study.search; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


def test_a_setting_that_cant_be_trained_counts_as_pruned(searching, monkeypatch):
    searching.write(space={"train.batch_size": {"choices": [12, 13]}})
    searching.search(monkeypatch)
    table = searching.table()
    refused = table[table["train.batch_size"] == 13]
    assert len(table) == 12 and len(refused) and set(refused["state"]) == {"pruned"}
    assert set(refused["refused"]) == {"params.yaml: thirteen can't be trained"}


def test_a_first_trial_that_cant_be_trained_is_an_error(searching, monkeypatch):
    searching.write(trials=1, changes={"train.batch_size": 13}, space=RATES)
    with pytest.raises(KantorError, match=r"0/train.log: params.yaml: thirteen can't be trained$"):
        searching.search(monkeypatch)


@pytest.mark.slow
def test_the_same_name_is_the_same_search(searching, monkeypatch):
    def refused():
        with pytest.raises(KantorError, match=r"^search tiny: was begun with other settings"):
            searching.search(monkeypatch)

    searching.write(trials=1)
    searching.search(monkeypatch)
    searching.search(monkeypatch)
    searching.write(trials=2)
    refused()
    searching.write(trials=1)
    (searching.records / "valid_windows.tfrecord").write_text("another")
    refused()
    (searching.records / "valid_windows.tfrecord").write_text("")
    searching.search(monkeypatch)
    (searching.folder / "kantor/inner/code.py").write_text("# changed\n")
    refused()


def test_a_search_must_not_see_the_test_split(searching, monkeypatch):
    for summary in ('{"held_out_test": false}', "{", ""):
        (searching.records / "dataset.json").write_text(summary)
        with pytest.raises(KantorError, match="without the test split, which a search may not see"):
            searching.search(monkeypatch)


def test_a_database_that_is_not_there_is_told_in_one_sentence(searching, monkeypatch):
    for url in ("postgresql://kantor@127.0.0.1:9/kantor", "nonsense"):
        with pytest.raises(KantorError, match="expected a database that is there") as error:
            searching.search(monkeypatch, "--storage", url)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": 0}, "trials is 0: expected"),
        (
            {"space": {"train.nothing": {"low": 1, "high": 2}}},
            "train.nothing: no such key; expected examples, ",
        ),
        ({"space": {"model.no.units": {"low": 1, "high": 2}}}, "model.no.units: no such key"),
        ({"space": {"evaluate.place_rows": {"low": 1, "high": 2}}}, "key under model or train"),
        ({"space": {"train.epochs": {"low": 1, "high": 2}}}, "train.epochs: expected a key under"),
        ({"space": {"train.batch_size": {"low": 0, "high": 2}}}, "train.batch_size is 0"),
        ({"space": {"train.learning_rate": {"low": 0.2, "high": 0.1}}}, "`low <= high` must hold"),
        (
            {"space": {"train.weight_decay": {"low": 0.0, "high": 0.1, "log": True}}},
            "train.weight_decay: `low > 0` must hold",
        ),
        ({"space": {"train.optimizer": {"choices": ["adam", "none"]}}}, "'none'"),
        ({"space": {"train.beta_2": [0.95, 0.98]}}, "space.train.beta_2 is [0.95, 0.98]: expected"),
        (
            {"space": {"train.weight_decay": {"low": 0, "high": 1}}},
            "train.weight_decay: only whole numbers would be drawn; write 0.0",
        ),
        ({"space": {"train.batch_size": {"low": 8.0, "high": 16.5}}}, "train.batch_size is 8.0"),
        ({"space": {"train.beta_2": 0.98}}, "space.train.beta_2 is 0.98: expected"),
        (
            {"space": {"train.beta_2": {"low": 0.9}}},
            "train.beta_2 is null: expected a number from 0 to below 1",
        ),
        ({"space": {"train.beta_2": {"choices": [0.9]}}}, "space.train.beta_2.choices is [0.9]"),
        ({"changes": {"train.nothing": 1}}, "changes: "),
    ],
)
def test_a_wrong_search_is_told_by_its_key(tmp_path, wrong, message):
    path = tmp_path / "search.yaml"
    path.write_text(core_yaml.dump(SEARCH | wrong))
    with pytest.raises(KantorError) as error:
        space.load(path, PROJECT / "params.yaml")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_every_key_of_the_models_and_the_training_can_be_searched(tmp_path):
    keys = flat(params.load(PROJECT / "params.yaml").model_dump(include={"model", "train"}))
    choices = {key: {"choices": [value, value]} for key, value in keys.items()}
    path = tmp_path / "search.yaml"
    path.write_text(core_yaml.dump(SEARCH | {"changes": {}, "space": choices}))
    search = space.load(path, PROJECT / "params.yaml")
    drawn = search.draw(
        optuna.trial.FixedTrial(search.present(params.content(PROJECT / "params.yaml")))
    )
    assert drawn == keys and len(keys) > 30


@pytest.mark.slow
def test_a_trial_is_a_real_training_on_several_devices_and_scored_as_evaluate_does(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    clone.stage("download")
    clone.stage("preprocess")
    # Two shares of the processor, as several graphics cards would be used.
    changes = {"train.epochs": 2, "train.replicas": 2, "model.members": 2}
    # That the default network learns so too is shown by test_runtime.py, in a minute.
    search = SEARCH | {"trials": 1, "changes": changes | CONVOLUTIONS, "space": RATES}
    (clone.folder / "study/search.yaml").write_text(yaml.safe_dump(search))
    printed = clone.run(sys.executable, "-m", "study.search")
    trial = clone.folder / "study/searches/tiny/0"
    assert len(pd.read_csv(trial / "reports/training.csv")) == 4
    assert params.load(trial / "params.yaml").train.replicas == 2
    assert "the best of 1: trial 0" in printed

    shutil.copy(trial / "params.yaml", clone.folder)
    clone.stage("train")
    clone.stage("evaluate")
    metrics = json.loads((clone.folder / "reports/metrics.json").read_text())
    trials = pd.read_csv(clone.folder / "reports/study/search/tiny/trials.csv")
    expected = metrics["valid"]["pieces"]["loss"]
    loss = pytest.approx(expected, abs=1e-6)
    assert json.loads((trial / "reports/valid.json").read_text())["loss"] == loss
    assert trials["valid_loss"][0] == pytest.approx(expected, rel=1e-5)

    # What was killed while it was scored doesn't train again.
    assert "train:" not in clone.run(sys.executable, "-m", "study.trial")
    assert json.loads((clone.folder / "reports/valid.json").read_text())["loss"] == loss


def test_a_training_goes_on_if_it_is_the_same_and_not_over(searching, monkeypatch):
    searching.patch(monkeypatch)
    folder = searching.folder / "trial"
    settings = params.load(PROJECT / "params.yaml")
    epochs = settings.model.members * settings.train.epochs

    def goes_on(changes, again, models=True):
        assert training.prepare(folder, {}, again=False) == epochs
        (folder / "begun").touch()
        if models:
            (folder / "models").mkdir()
        training.prepare(folder, changes, again)
        return (folder / "begun").exists()

    assert goes_on({}, again=True)
    assert not goes_on({}, again=False)
    assert not goes_on({"train.epochs": 99}, again=True)
    assert not goes_on({}, again=True, models=False), "those of an ended trial are removed"
