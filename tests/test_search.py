"""The search: what it draws, and what it finds."""

import json
import re
import shutil
import sys
import time

import optuna
import pandas as pd
import pytest
import yaml
from clone import CONVOLUTIONS, Clone
from searching import SEARCH, Searching, end, ended

from conftest import PROJECT, flat
from kantor import params
from kantor.system.errors import KantorError
from study import space, trainings

RATES = {"train.learning_rate": {"choices": [0.004, 0.005]}}


@pytest.fixture
def searching(tmp_path):
    return Searching(tmp_path / "kantor")


def test_a_search_finds_what_is_best_and_says_how_to_set_it(searching):
    said = end(searching.begin())
    trials = searching.found()
    assert len(trials) == 12 and set(trials["state"]) == {"complete", "pruned"}
    present = params.load(PROJECT / "params.yaml").train
    first = trials.iloc[0]
    assert first["train.learning_rate"] == present.learning_rate, "the first is what there is"

    report = searching.report
    best = yaml.safe_load((report / "best.yaml").read_text())
    complete = trials[trials["state"] == "complete"]
    winner = complete.loc[complete["valid_loss"].idxmin()]
    # A pruned trial has none of the loss that others are judged by.
    assert trials["valid_loss"].isna().equals(trials["state"] == "pruned")
    assert (trials["windows_loss"] > trials["valid_loss"].min()).all()
    rate = winner["train.learning_rate"]  # rounded to six digits
    assert best["train"]["learning_rate"] == pytest.approx(rate, rel=1e-5)
    assert best["model"]["row_gru"]["units"] == json.loads(winner["model.row_gru.units"])
    assert "epochs" not in best["train"], "which was only shorter for the search"
    assert f"the best of 12: trial {winner['trial']}, validation loss" in said
    assert "-S 'train.learning_rate=" in said
    assert re.search(r"^search: 0 of 12 trials, trial 0, epoch \d", said, re.M)
    shown = rf"^search: 12 of 12 trials, .*; the best is trial {winner['trial']} with 0\.\d{{4}}$"
    assert re.search(shown, said, re.M), said
    assert all((report / name).stat().st_size > 5000 for name in ("history.svg", "importance.svg"))
    asked = space.load(report / "search.yaml", PROJECT)
    assert asked == space.load(searching.folder / "study/search.yaml", PROJECT)
    # What a trial could see of the data.
    seen = list(searching.trials.glob("*/data/records"))
    assert len(seen) == 12
    for records in seen:
        names = {path.stem for path in records.iterdir()}
        assert names == {"train_pieces", "valid_pieces", "valid_windows"}
    # Whose models are of no more use.
    assert not list(searching.trials.glob("*/models"))


def test_one_worker_and_one_seed_give_the_same_trials_also_after_a_kill(searching):
    # So many that what is drawn depends on what the best trials were.
    searching.write(trials=24)
    end(searching.begin())
    undisturbed = ended(searching.found())
    shutil.rmtree(searching.trials)

    best = undisturbed["valid_loss"].iloc[:12].idxmin()
    worker = searching.begin(seconds=0.1)
    saved = searching.trials / f"{best}/models/checkpoints/1.npz"
    while not saved.exists():
        assert worker.poll() is None
        time.sleep(0.01)
    worker.kill()
    worker.communicate()
    end(searching.begin())
    again = searching.found()
    assert again[again["state"] == "fail"]["trial"].tolist() == [best]
    pd.testing.assert_frame_equal(ended(again), undisturbed)


def test_a_setting_that_cant_be_trained_is_counted_and_told(searching):
    searching.write(space={"train.batch_size": {"choices": [12, 13]}})
    end(searching.begin())
    refused = searching.found()
    refused = refused[refused["train.batch_size"] == 13]
    assert len(refused) and set(refused["state"]) == {"pruned"}
    assert set(refused["refused"]) == {"params.yaml: thirteen can't be trained"}


def test_the_same_name_is_the_same_search(searching):
    searching.write(trials=1)
    end(searching.begin())
    end(searching.begin())
    searching.write(trials=2)
    assert "begun with other settings" in end(searching.begin(), code=1)
    searching.write(trials=1)
    (searching.records / "valid_windows.tfrecord").write_text("another")
    assert "other records" in end(searching.begin(), code=1)
    (searching.records / "valid_windows.tfrecord").write_text("")
    end(searching.begin())
    with (searching.folder / "kantor/schedule.py").open("a") as code:
        code.write("# changed\n")
    assert "other code in kantor/" in end(searching.begin(), code=1)


def test_a_search_must_not_see_the_test_split(searching):
    summary = searching.records / "dataset.json"
    summary.write_text('{"held_out_test": false}')
    assert "a search may not see it" in end(searching.begin(), code=1)
    summary.write_text("{")
    assert "damaged" in end(searching.begin(), code=1)
    summary.unlink()
    assert "run `dvc repro preprocess` first" in end(searching.begin(), code=1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trials": 0}, "trials"),
        ({"space": {"train.nothing": {"low": 1, "high": 2}}}, "space.train.nothing"),
        ({"space": {"model.no.units": {"low": 1, "high": 2}}}, "model.no.units"),
        ({"space": {"evaluate.place_rows": {"low": 1, "high": 2}}}, "under model or train"),
        ({"space": {"train.epochs": {"low": 1, "high": 2}}}, "`changes` has not set"),
        ({"space": {"train.batch_size": {"low": 0, "high": 2}}}, "train.batch_size is 0"),
        ({"space": {"train.learning_rate": {"low": 0.2, "high": 0.1}}}, "low must be below"),
        ({"space": {"train.optimizer": {"choices": ["adam", "none"]}}}, "'none'"),
        (
            {"space": {"train.beta_2": [0.95, 0.98]}},
            "space.train.beta_2.range is [0.95, 0.98]: expected",
        ),
        (
            {"space": {"train.weight_decay": {"low": 0, "high": 1}}},
            "space.train.weight_decay: low is 0 and high 1, of which only whole",
        ),
        ({"space": {"train.batch_size": {"low": 8.0, "high": 16.5}}}, "train.batch_size is 8.0"),
        ({"space": {"train.beta_2": 0.98}}, "space.train.beta_2.range is 0.98: expected"),
        ({"space": {"train.beta_2": {"low": 1}}}, "space.train.beta_2.range.high: Field required"),
    ],
)
def test_a_wrong_search_is_told_by_its_key(tmp_path, wrong, said):
    path = tmp_path / "search.yaml"
    path.write_text(yaml.safe_dump(SEARCH | wrong))
    with pytest.raises(KantorError) as error:
        space.load(path, PROJECT)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_every_key_of_the_models_and_the_training_can_be_searched(tmp_path):
    keys = flat(params.load(PROJECT / "params.yaml").model_dump(include={"model", "train"}))
    choices = {key: {"choices": [value, value]} for key, value in keys.items()}
    path = tmp_path / "search.yaml"
    path.write_text(yaml.safe_dump(SEARCH | {"changes": {}, "space": choices}))
    search = space.load(path, PROJECT)
    drawn = search.draw(
        optuna.trial.FixedTrial(search.present(params.load(PROJECT / "params.yaml")))
    )
    assert drawn == keys and len(keys) > 30


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
    said = clone.run(sys.executable, "-m", "study.search")
    trial = clone.folder / "study/searches/tiny/0"
    assert len(pd.read_csv(trial / "reports/training.csv")) == 4
    assert params.load(trial / "params.yaml").train.replicas == 2
    assert "the best of 1: trial 0" in said

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


def test_a_training_goes_on_if_it_is_the_same_and_not_over(tmp_path, monkeypatch):
    monkeypatch.setattr(trainings, "RECORDS", tmp_path / "records")
    folder = tmp_path / "trial"

    def goes_on(changes, again, models=True):
        trainings.prepare(folder, {}, again=False)
        (folder / "begun").touch()
        if models:
            (folder / "models").mkdir()
        trainings.prepare(folder, changes, again)
        return (folder / "begun").exists()

    assert goes_on({}, again=True)
    assert not goes_on({}, again=False)
    assert not goes_on({"train.epochs": 99}, again=True)
    assert not goes_on({}, again=True, models=False), "those of an ended trial are removed"


def test_a_search_trains_on_all_graphics_cards_of_its_machine(searching):
    searching.write(trials=1, changes={"train.epochs": 2, "train.batch_size": 16}, space=RATES)
    end(searching.begin(cards=4))
    assert params.load(searching.trials / "0/params.yaml").train.replicas == 4


def test_a_trial_uses_as_many_cards_as_share_its_batch_evenly():
    assert trainings.on_all(4, {"train.batch_size": 6})["train.replicas"] == 3
    assert trainings.on_all(4, {"train.batch_size": 7})["train.replicas"] == 1
    assert "train.replicas" not in trainings.on_all(1, {"train.batch_size": 6})
    own = {"train.batch_size": 8, "train.replicas": 2}
    assert trainings.on_all(4, own) == own
