"""The search: what it draws, and that no trial is lost or done twice, whoever dies."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
import pandas as pd
import pytest
import yaml
from clone import Clone
from optuna.trial import TrialState

from conftest import PROJECT
from kantor import params
from kantor.errors import KantorError
from study import search, space
from study import storage as study_storage

SEARCH = {
    "name": "tiny",
    "trials": 12,
    "seed": 3,
    "changes": {"train.epochs": 3},
    "space": {
        "train.learning_rate": {"low": 0.001, "high": 0.01, "log": True},
        "model.row_gru.units": {"choices": [[8, 8], [4]]},
        "train.batch_size": {"low": 16, "high": 32},
    },
    "pruning": {"startup_trials": 4, "warmup_epochs": 1},
}


@pytest.fixture
def searching(tmp_path):
    """A clone in which a search may begin: it looks at the records' names only."""
    clone = Clone(tmp_path / "kantor")
    (clone.folder / "data/records").mkdir(parents=True)
    for name in ("train_pieces", "train_windows", "valid_windows", "test_pieces"):
        (clone.folder / f"data/records/{name}.tfrecord").touch()
    write(clone, SEARCH)
    return clone


def write(clone, search):
    (clone.folder / "study/search.yaml").write_text(yaml.safe_dump(search))


def begin(clone, *options, seconds=0.0):
    command = [sys.executable, "tests/quick_search.py", str(seconds), *options]
    return subprocess.Popen(
        command,
        cwd=clone.folder,
        env=clone.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Whoever started the tests in the background may have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def end(worker, code=0):
    said, _ = worker.communicate(timeout=300)
    assert worker.returncode == code, said
    return said


def found(clone):
    return pd.read_csv(clone.folder / "reports/study/search/trials.csv")


def test_a_search_finds_what_is_best_and_says_how_to_set_it(searching):
    said = end(begin(searching))
    trials = found(searching)
    assert len(trials) == 12 and set(trials["state"]) == {"complete", "pruned"}
    present = params.load(PROJECT / "params.yaml").train
    first = trials.iloc[0]
    assert first["train.learning_rate"] == present.learning_rate, "the first is what there is"

    report = searching.folder / "reports/study/search"
    best = yaml.safe_load((report / "best.yaml").read_text())
    complete = trials[trials["state"] == "complete"]
    winner = complete.loc[complete["valid_loss"].idxmin()]
    assert best["train"]["learning_rate"] == winner["train.learning_rate"]
    assert best["model"]["row_gru"]["units"] in ([8, 8], [4])
    assert "epochs" not in best["train"], "which was only shorter for the search"
    assert f"trial {winner['trial']}" in said and "-S 'train.learning_rate=" in said
    assert all((report / name).stat().st_size > 5000 for name in ("history.svg", "importance.svg"))
    # What a trial could see of the data.
    seen = list((searching.folder / "study/searches/tiny").glob("*/data/records"))
    assert len(seen) == 12
    for records in seen:
        assert not list(records.glob("test_*")) and list(records.glob("valid_*"))


def in_place(trials):
    """The trials that were not failed, by their place."""
    kept = trials[trials["state"] != "fail"]
    return kept.drop(columns="trial").set_index("place").sort_index()


def test_one_worker_and_one_seed_give_the_same_trials_also_after_a_kill(searching):
    # So many that what is drawn depends on what the best trials were.
    write(searching, SEARCH | {"trials": 24})
    end(begin(searching))
    undisturbed = in_place(found(searching))
    shutil.rmtree(searching.folder / "study/searches")

    best = undisturbed["valid_loss"].iloc[:12].idxmin()
    worker = begin(searching, seconds=0.1)
    saved = searching.folder / f"study/searches/tiny/{best}/models/checkpoints/1.npz"
    while not saved.exists():
        assert worker.poll() is None
        time.sleep(0.01)
    worker.kill()
    worker.communicate()
    end(begin(searching))
    again = found(searching)
    assert again[again["state"] == "fail"]["place"].tolist() == [best]
    pd.testing.assert_frame_equal(in_place(again), undisturbed)


def test_a_search_that_is_stopped_gives_its_trial_back(searching):
    worker = begin(searching, seconds=0.3)
    while not (searching.folder / "study/searches/tiny/0/begun").exists():
        assert worker.poll() is None
        time.sleep(0.01)
    worker.send_signal(signal.SIGINT)
    assert "run the same command again to go on" in end(worker, code=1)
    states = [trial.state for trial in loaded(journal(searching)).get_trials()]
    assert states.count(TrialState.WAITING) == 12 and states.count(TrialState.FAIL) == 1


def test_a_search_whose_beginning_was_cut_off_has_all_its_trials(searching):
    end(begin(searching))
    expected = in_place(found(searching))
    shutil.rmtree(searching.folder / "study/searches")
    search = space.load(searching.folder / "study/search.yaml", searching.folder)
    settings = params.load(searching.folder / "params.yaml")
    begun = {
        "search": search.model_dump(mode="json"),
        "settings": settings.model_dump(include={"seed", "threads", "model", "train"}),
    }
    (searching.folder / "study/searches/tiny").mkdir(parents=True)
    cut_off = optuna.create_study(study_name="tiny", storage=journal(searching))
    cut_off.set_user_attr("begun", begun)
    cut_off.enqueue_trial(search.present(settings), user_attrs={"place": 0})
    end(begin(searching))
    pd.testing.assert_frame_equal(in_place(found(searching)), expected)


def test_a_training_that_crashes_ends_the_search_and_the_trial_waits(searching):
    write(searching, SEARCH | {"space": {"train.batch_size": {"choices": [14, 16]}}})
    for _ in range(4):  # a crash is no death of a worker, so it is never given up
        assert "ended in the middle" in end(begin(searching), code=1)
    states = [trial.state for trial in loaded(journal(searching)).get_trials()]
    assert TrialState.WAITING in states and TrialState.RUNNING not in states


def test_a_setting_that_cant_be_trained_is_counted_and_told(searching):
    write(searching, SEARCH | {"space": {"train.batch_size": {"choices": [13, 16]}}})
    end(begin(searching))
    refused = found(searching)
    refused = refused[refused["train.batch_size"] == 13]
    assert len(refused) and set(refused["state"]) == {"pruned"}
    assert set(refused["refused"]) == {"params.yaml: thirteen can't be trained"}


def test_the_same_name_is_the_same_search(searching):
    write(searching, SEARCH | {"trials": 1})
    end(begin(searching))
    write(searching, SEARCH | {"trials": 2})
    assert "begun with other settings" in end(begin(searching), code=1)


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
    ],
)
def test_a_wrong_search_is_told_by_its_key(tmp_path, wrong, said):
    path = tmp_path / "search.yaml"
    path.write_text(yaml.safe_dump(SEARCH | wrong))
    with pytest.raises(KantorError) as error:
        space.load(path, PROJECT)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_every_key_of_the_models_and_the_training_can_be_searched(tmp_path):
    settings = params.load(PROJECT / "params.yaml").model_dump()

    def leaves(block, before):
        for key, value in block.items():
            inner = isinstance(value, dict)
            yield from leaves(value, f"{before}.{key}") if inner else [(f"{before}.{key}", value)]

    keys = dict([*leaves(settings["model"], "model"), *leaves(settings["train"], "train")])
    choices = {key: {"choices": [value, value]} for key, value in keys.items()}
    path = tmp_path / "search.yaml"
    path.write_text(yaml.safe_dump(SEARCH | {"changes": {}, "space": choices}))
    search = space.load(path, PROJECT)
    drawn = search.draw(
        optuna.trial.FixedTrial(search.present(params.load(PROJECT / "params.yaml")))
    )
    assert drawn == keys and len(keys) > 30


def test_a_trial_is_a_real_training_on_all_devices(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.shrink()
    clone.stage("download")
    clone.stage("preprocess")
    # Two shares of the processor, as several graphics cards would be used.
    changes = {"train.epochs": 2, "train.replicas": 2}
    space_of_one = {"train.learning_rate": {"choices": [0.004, 0.005]}}
    write(clone, SEARCH | {"trials": 1, "changes": changes, "space": space_of_one})
    said = clone.run(sys.executable, "-m", "study.search")
    history = pd.read_csv(clone.folder / "study/searches/tiny/0/reports/training.csv")
    assert len(history) == 2
    assert found(clone)["valid_loss"][0] == pytest.approx(history["valid_loss"].min())
    assert "the best of 1: trial 0" in said


@pytest.fixture
def database():
    """The address of a PostgreSQL of our own, with the programs of the distribution."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="kantor-postgres-", dir="/tmp"))
    as_user = []
    if os.geteuid() == 0:  # as root it refuses to run
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program, *options):
        command = [*as_user, programs[-1] / program, "-D", folder / "data", *options]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)

    run("initdb", "-U", "kantor", "--auth=trust", "--no-sync")
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-w", "-l", folder / "log", "-o", settings, "start")
    yield f"postgresql://kantor@127.0.0.1:{port}/postgres"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.mark.parametrize("shared", ["a database", "a journal file"])
def test_of_four_workers_one_is_killed_and_no_trial_is_lost_or_done_twice(
    searching, shared, request
):
    url = request.getfixturevalue("database") if shared == "a database" else None
    options = ["--storage", url, "--dead-after", "6"] if url else []
    no_pruning = {"startup_trials": 99, "warmup_epochs": 1}
    write(searching, SEARCH | {"trials": 16, "pruning": no_pruning})
    workers = [begin(searching, *options, seconds=1.0) for _ in range(4)]
    tiny = searching.folder / "study/searches/tiny"
    while len(list(tiny.glob("*/begun"))) < 4:
        assert all(worker.poll() is None for worker in workers)
        time.sleep(0.1)
    storage = optuna.storages.RDBStorage(url) if url else journal(searching)

    killed = workers[0]
    while not (place := training_of(killed, storage, tiny)):
        time.sleep(0.1)
    # Let nothing end between looking and killing.
    killed.send_signal(signal.SIGSTOP)
    while not (place := training_of(killed, storage, tiny)):
        killed.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        killed.send_signal(signal.SIGSTOP)
    killed.kill()
    killed.communicate()
    for worker in workers[1:]:
        end(worker)

    trials = loaded(storage).get_trials()
    (failed,) = [trial for trial in trials if trial.state is TrialState.FAIL]
    assert [failed.user_attrs["place"]] == place
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    assert sorted(trial.user_attrs["place"] for trial in complete) == list(range(16))
    assert len(trials) == 17 and failed.params == trials[-1].params
    for folder in tiny.glob("[0-9]*/"):
        begun = len((folder / "begun").read_text().splitlines())
        assert begun == (2 if int(folder.name) in place else 1), folder
    assert in_place(found(searching)).index.tolist() == list(range(16))
    # The work is shared, not done by one.
    assert len({trial.user_attrs["pid"] for trial in trials}) == 4


def training_of(worker, storage, folder):
    """The place of the trial that a worker has claimed and begun, if there is one now."""
    running = [trial for trial in loaded(storage).get_trials() if trial.state is TrialState.RUNNING]
    places = [t.user_attrs["place"] for t in running if t.user_attrs.get("pid") == worker.pid]
    return [place for place in places if (folder / f"{place}/begun").exists()]


def loaded(storage):
    return optuna.load_study(study_name="tiny", storage=storage)


def journal(clone):
    return study_storage.journal(clone.folder / "study/searches/tiny")


def test_a_trial_uses_as_many_cards_as_share_its_batch_evenly():
    assert search.on_all(4, {"train.batch_size": 6})["train.replicas"] == 3
    assert search.on_all(4, {"train.batch_size": 7})["train.replicas"] == 1
    assert "train.replicas" not in search.on_all(1, {"train.batch_size": 6})
    own = {"train.batch_size": 8, "train.replicas": 2}
    assert search.on_all(4, own) == own
