"""The workers of a search: whoever dies, no trial is lost."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest
from optuna.trial import TrialState

from helpers.processes import alive
from helpers.searching import SEARCH, Searching, end, ended
from kantor.system.errors import INTERRUPTED, KantorError
from study import search, training, trials

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::optuna.exceptions.ExperimentalWarning", "ignore:Heartbeat of storage"
    ),
]


@pytest.fixture
def searching(tmp_path):
    return Searching(tmp_path / "kantor")


def test_one_worker_and_one_seed_give_the_same_trials_also_after_a_kill(searching, monkeypatch):
    # Enough trials for the draws to depend on the best ones.
    searching.write(trials=16)
    searching.search(monkeypatch)
    undisturbed = ended(searching.table())
    shutil.rmtree(searching.trials)

    best = undisturbed["valid_loss"].iloc[:12].idxmin()
    end(searching.worker(dies=best), code=-signal.SIGKILL)
    searching.search(monkeypatch)
    again = searching.table()
    assert again[again["state"] == "fail"]["trial"].tolist() == [best]
    pd.testing.assert_frame_equal(ended(again), undisturbed)
    begun = [line.split(maxsplit=1)[1] for line in lines(searching.trials / f"{best}/begun")]
    assert begun == ["from epoch 1", "from epoch 3"], "it goes on after its last finished epoch"


@pytest.mark.parametrize("killed", ["before it draws", "while it draws"])
def test_a_worker_killed_at_its_very_beginning_changes_no_trial(searching, monkeypatch, killed):
    searching.write(trials=3)
    searching.search(monkeypatch)
    undisturbed = ended(searching.table())
    shutil.rmtree(searching.trials)
    searching.trials.mkdir()
    searching.patch(monkeypatch)
    trial = searching.study().ask()
    if killed == "while it draws":
        trial.suggest_float("train.learning_rate", 0.001, 0.01, log=True)
    searching.search(monkeypatch)
    pd.testing.assert_frame_equal(ended(searching.table()), undisturbed, check_dtype=False)


def test_a_killed_worker_takes_its_training_with_it(searching):
    worker = searching.worker(seconds=60)
    begun = searching.trials / "0/begun"
    wait(lambda: begun.exists() and lines(begun))
    training = int(lines(begun)[0].split()[0])
    os.kill(training, 0)
    worker.kill()
    worker.communicate()
    wait(lambda: not alive(training))


def test_a_search_that_is_stopped_goes_on_with_its_trial(searching, monkeypatch):
    worker = searching.worker(seconds=60)
    wait((searching.trials / "0/begun").exists)
    worker.send_signal(signal.SIGINT)
    assert end(worker, code=INTERRUPTED).splitlines()[-1] == "interrupted"
    searching.search(monkeypatch)
    states = searching.table()[["trial", "state"]].values.tolist()
    assert states[:2] == [[0, "fail"], [0, "complete"]] and len(states) == 13


def test_a_trial_over_which_every_worker_dies_is_given_up_and_another_drawn(searching, monkeypatch):
    searching.write(trials=2, space={"train.batch_size": {"choices": [14, 16]}})
    failures = 0
    while True:
        try:
            searching.search(monkeypatch)
            break
        except KantorError as error:
            assert str(error).endswith("train.log: no space left on device")
            failures += 1
    table = searching.table()
    failed = table[table["state"] == "fail"]
    assert len(failed) == failures > 0 and set(failed["train.batch_size"]) == {14}
    assert set(failed["trial"].value_counts()) == {1 + trials.MOST_RETRIES}
    assert len(ended(table)) == 2


def test_the_trial_of_a_dead_worker_elsewhere_is_run_by_another(searching, monkeypatch):
    searching.patch(monkeypatch)
    searching.write(trials=4, pruning={"startup_trials": 99, "warmup_epochs": 1})
    searching.trials.mkdir(parents=True)
    dead = searching.study()
    trial = dead.ask()
    drawn = {
        "train.learning_rate": trial.suggest_float("train.learning_rate", 0.001, 0.01, log=True),
        "train.batch_size": trial.suggest_int("train.batch_size", 16, 32),
        "model.row_gru.units": trial.suggest_categorical("model.row_gru.units", ["[8, 8]", "[4]"]),
    }
    dead._storage.record_heartbeat(trial._trial_id)
    searching.search(monkeypatch, "--storage", searching.url)
    table = searching.table().set_index(["trial", "state"])
    assert table.index.tolist() == [(0, "fail"), (0, "complete")] + [
        (place, "complete") for place in (1, 2, 3)
    ]
    for state in ("fail", "complete"):
        assert table.loc[(0, state), list(drawn)].tolist() == pytest.approx(
            list(drawn.values()), rel=1e-5
        )


def test_a_worker_whose_trial_others_have_by_now_leaves_it_to_them(searching, monkeypatch):
    searching.patch(monkeypatch)
    searching.trials.mkdir(parents=True)

    def asleep(folder):
        others = searching.study()
        others.tell(0, state=TrialState.FAIL)
        trials.retry(others, others.get_trials()[0])
        yield 0.5

    monkeypatch.setattr(training, "train", asleep)
    with pytest.raises(SystemExit, match="another worker took trial 0 over"):
        search.Worker(searching.asked(), searching.study(), searching.trials).work()
    states = [trial.state for trial in searching.study().get_trials()]
    assert states == [TrialState.FAIL, TrialState.WAITING]


def test_what_is_changed_during_a_search_ends_it_before_the_next_trial(searching, monkeypatch):
    searching.patch(monkeypatch)
    searching.write(trials=2)
    searching.trials.mkdir(parents=True)
    study, before = searching.study(), training.train

    def changing(folder):
        yield from before(folder)
        monkeypatch.setattr(training, "identity", lambda: {"code": "another"})

    monkeypatch.setattr(training, "train", changing)
    with pytest.raises(KantorError, match="was begun with other settings"):
        search.Worker(searching.asked(), study, searching.trials).work()
    states = [trial.state for trial in study.get_trials()]
    assert states == [TrialState.COMPLETE], "no other trial was begun"


def test_no_trial_is_run_beyond_those_asked_for(searching, monkeypatch):
    searching.patch(monkeypatch)
    searching.write(trials=1)
    searching.trials.mkdir(parents=True)
    study = searching.study()
    others, ours = study.ask(), study.ask()  # at the same moment
    with pytest.raises(search.SurplusError):
        search.Worker(searching.asked(), study, searching.trials).run(ours)
    # Had the worker of the other one died, and who saw it too, another one would be drawn.
    study.tell(others, state=TrialState.FAIL)
    study.tell(ours, state=TrialState.FAIL)
    searching.search(monkeypatch)
    assert searching.table()["state"].tolist() == ["complete"]


def test_in_a_folder_is_one_worker(searching, monkeypatch):
    worker = searching.worker(seconds=60)
    wait((searching.trials / "0/begun").exists)
    with pytest.raises(KantorError, match="another worker is there"):
        searching.search(monkeypatch)
    worker.kill()
    worker.communicate()


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

    def command(program, *options):
        words = [*as_user, programs[-1] / program, "-D", folder / "data", *options]
        subprocess.run(words, check=True, cwd="/", stdout=subprocess.DEVNULL)

    command("initdb", "-U", "kantor", "--auth=trust", "--no-sync")
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    command("pg_ctl", "-w", "-l", folder / "log", "-o", settings, "start")
    yield f"postgresql://kantor@127.0.0.1:{port}/postgres"
    command("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


def test_of_four_workers_with_a_database_one_is_killed_and_no_trial_is_lost(database, tmp_path):
    # A clone each: as on four machines, they share nothing else.
    clones = [Searching(tmp_path / str(number)) for number in range(4)]
    for clone in clones:
        clone.write(trials=16, pruning={"startup_trials": 99, "warmup_epochs": 1})
    workers = [clone.worker("--storage", database, seconds=0.5) for clone in clones]
    for clone in clones:
        wait(lambda clone=clone: list(clone.trials.glob("*/begun")))
    killed = clones[0]
    wait(lambda: list(killed.trials.glob("*/models")))
    workers[0].kill()
    workers[0].communicate()
    (left,) = [int(path.parent.name) for path in killed.trials.glob("*/models")]
    for worker in workers[1:]:
        end(worker)

    table = clones[-1].table()
    failed = table[table["state"] == "fail"]
    assert failed["trial"].tolist() == [left]
    complete = ended(table)
    assert complete.index.tolist() == list(range(16)) and set(complete["state"]) == {"complete"}
    for key in SEARCH["space"]:
        assert failed[key].tolist() == [complete[key][left]]
    # The work is shared: each place was begun in one clone, and the killed one's in another too.
    begun = [int(path.parent.name) for clone in clones for path in clone.trials.glob("*/begun")]
    assert sorted(begun) == sorted([*complete.index, left])
    assert all(list(clone.trials.glob("*/begun")) for clone in clones)


def lines(path):
    return path.read_text().splitlines()


def wait(condition, seconds=60):
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
