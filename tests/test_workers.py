"""The workers of a search: no trial is lost or done twice, whoever dies."""

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import optuna
import pandas as pd
import pytest
import yaml
from optuna.trial import TrialState
from searching import SEARCH, Searching, end, ended, loaded

from conftest import PROJECT
from kantor import params
from kantor.system.progress import Progress
from study import found, search, space
from study.trials import MOST_DEATHS, Trials


@pytest.fixture
def searching(tmp_path):
    return Searching(tmp_path / "kantor")


def test_a_search_that_is_stopped_gives_its_trial_back(searching):
    worker = searching.begin(seconds=0.3)
    while not (searching.trials / "0/begun").exists():
        assert worker.poll() is None
        time.sleep(0.01)
    worker.send_signal(signal.SIGINT)
    assert "run the same command again to go on" in end(worker, code=1)
    states = [trial.state for trial in loaded(searching.journal()).get_trials()]
    assert states.count(TrialState.WAITING) == 12 and states.count(TrialState.FAIL) == 1


@pytest.mark.parametrize("cut_off", ["at once", "with one trial waiting", "with one trial failed"])
def test_a_search_whose_beginning_was_cut_off_has_all_its_trials(searching, cut_off):
    searching.write(trials=3)
    end(searching.begin())
    expected = ended(searching.found())
    begun = loaded(searching.journal()).user_attrs["begun"]
    first = loaded(searching.journal()).get_trials()[0]
    shutil.rmtree(searching.trials)
    searching.trials.mkdir()
    beginning = optuna.create_study(study_name="tiny", storage=searching.journal())
    if cut_off != "at once":
        beginning.set_user_attr("begun", begun)
        beginning.enqueue_trial(first.params, user_attrs={"place": 0})
    if cut_off == "with one trial failed":
        beginning.tell(beginning.ask(), state=TrialState.FAIL)
    end(searching.begin())
    pd.testing.assert_frame_equal(ended(searching.found()), expected, check_dtype=False)


def test_a_trial_over_which_every_worker_dies_is_given_up(searching):
    searching.write(trials=1)
    begun = searching.trials / "0/begun"
    for death in range(1, MOST_DEATHS + 1):
        worker = searching.begin(seconds=5)
        while not begun.exists() or len(begun.read_text().splitlines()) < death:
            assert worker.poll() is None
            time.sleep(0.01)
        worker.kill()
        worker.communicate()
    assert "1 of 1 trials are missing, given up after 4 workers" in end(searching.begin(), code=1)
    assert len(begun.read_text().splitlines()) == MOST_DEATHS


def test_a_training_that_crashes_ends_the_search_until_its_trial_is_given_up(searching):
    searching.write(trials=4, space={"train.batch_size": {"choices": [14, 16]}})
    crashes = 0
    while "ended in the middle" in (said := end(searching.begin(), code=1)):
        crashes += 1
    trials = searching.found()
    failed = trials[trials["state"] == "fail"]
    assert set(failed["train.batch_size"]) == {14} and len(failed) == crashes
    assert set(failed["trial"].value_counts()) == {MOST_DEATHS}
    assert f"{failed['trial'].nunique()} of 4 trials are missing" in said
    assert len(ended(trials)) == 4 - failed["trial"].nunique() > 0


def test_a_trial_that_cant_even_begin_waits_until_it_can(searching):
    searching.write(trials=1)
    in_the_way = searching.trials / "0"
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    for _ in range(MOST_DEATHS):
        assert "0" in end(searching.begin(), code=1)
    in_the_way.unlink()
    end(searching.begin())
    assert searching.found()["state"].iloc[-1] == "complete"


@pytest.fixture
def machine(tmp_path):
    """Makes workers that share a database and no folder, as on two machines."""
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(SEARCH | {"trials": 3}))
    search = space.load(tmp_path / "search.yaml", PROJECT)
    first = search.present(params.load(PROJECT / "params.yaml"))
    url = f"sqlite:///{tmp_path}/trials.db"
    return lambda name: Trials(search, {}, first, tmp_path / name, url)


def test_trials_that_two_machines_let_wait_at_one_place_are_run_once(machine, tmp_path):
    one, other = machine("one"), machine("other")
    for number in range(3):  # as if both had found the places empty
        one.study.enqueue_trial({}, user_attrs={"place": number})
    claims = [trials.claim() for trials in (one, other, one)]
    assert sorted(claim.place for claim in claims) == [0, 1, 2]
    assert other.claim() is None and other.left()
    for claim, trials in zip(claims, (one, other, one), strict=True):
        assert trials.tell(claim, TrialState.COMPLETE, 0.5)
    assert one.claim() is None and not one.left() and one.ended() == 3
    found.write(space.load(tmp_path / "search.yaml", PROJECT), one, tmp_path / "report")
    assert pd.read_csv(tmp_path / "report/trials.csv")["trial"].tolist() == [0, 1, 2]


def test_a_failed_trial_whose_worker_died_before_another_waited_is_tried_again(machine):
    one, other = machine("one"), machine("other")
    claims = [one.claim(), other.claim(), other.claim()]
    one.study.tell(claims[0].trial.number, state=TrialState.FAIL)
    one.let_go(0)
    for claim in claims[1:]:
        other.tell(claim, TrialState.COMPLETE, 0.5)
    assert other.left() and other.ended() == 2
    again = other.claim()
    assert (again.place, again.again, again.changes) == (0, True, claims[0].changes)


def test_a_worker_whose_trial_others_have_by_now_goes_on_to_the_next(machine, tmp_path):
    one = machine("one")
    with Progress("search", 3, "trials") as progress:
        worker = search.Worker(one, tmp_path / "one", 0, progress)
        one.claim()
        lost = dataclasses.replace(one.claim(), changes={"train.batch_size": 0})
        one.study.tell(lost.trial.number, state=TrialState.FAIL)
        worker.run(lost)
    assert [one.claim().place, one.claim().place] == [1, 2]


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
    searching, shared, request, tmp_path
):
    url = request.getfixturevalue("database") if shared == "a database" else None
    options = ["--storage", url, "--dead-after", "6"] if url else []
    # With a database, a clone each: as on four machines, they share nothing else.
    others = [Searching(tmp_path / f"{number}") for number in (2, 3, 4)] if url else []
    clones = [searching, *others] if url else [searching] * 4
    for clone in clones:
        clone.write(trials=16, pruning={"startup_trials": 99, "warmup_epochs": 1})
    workers = [clone.begin(*options, seconds=1.0) for clone in clones]

    def begun():
        """By place, how often a training was begun there."""
        paths = [path for clone in {*clones} for path in clone.trials.glob("*/begun")]
        return Counter(int(path.parent.name) for path in paths for _ in path.open())

    while begun().total() < 4:
        assert all(worker.poll() is None for worker in workers)
        time.sleep(0.1)
    storage = optuna.storages.RDBStorage(url) if url else searching.journal()

    killed = workers[0]
    places = stop_in_a_trial(killed, storage, searching.trials)
    killed.kill()
    killed.communicate()
    for worker in workers[1:]:
        end(worker)

    trials = loaded(storage).get_trials()
    (failed,) = [trial for trial in trials if trial.state is TrialState.FAIL]
    assert [failed.user_attrs["place"]] == places
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    assert sorted(trial.user_attrs["place"] for trial in complete) == list(range(16))
    (again,) = [trial for trial in complete if trial.user_attrs["place"] == places[0]]
    assert failed.params == again.params
    assert begun() == Counter([*range(16), *places])
    assert ended(clones[-1].found()).index.tolist() == list(range(16))
    # The work is shared, not done by one.
    assert len({trial.user_attrs["pid"] for trial in trials}) == 4


def test_a_worker_that_was_only_asleep_leaves_its_trial_to_who_has_it_now(searching, database):
    options = ["--storage", database, "--dead-after", "6"]
    searching.write(trials=3)
    workers = [searching.begin(*options, seconds=2.0) for _ in range(2)]
    while len(list(searching.trials.glob("*/begun"))) < 2:
        assert all(worker.poll() is None for worker in workers)
        time.sleep(0.1)
    storage = optuna.storages.RDBStorage(database)
    (asleep,) = stop_in_a_trial(workers[0], storage, searching.trials)

    def states():
        trials = loaded(storage).get_trials()
        return [trial.state for trial in trials if trial.user_attrs["place"] == asleep]

    while states() == [TrialState.RUNNING]:
        assert workers[1].poll() is None
        time.sleep(0.1)
    workers[0].send_signal(signal.SIGCONT)
    for worker in workers:
        end(worker)
    assert states() == [TrialState.FAIL, TrialState.COMPLETE]
    assert ended(searching.found()).index.tolist() == [0, 1, 2]


def stop_in_a_trial(worker, storage, folder):
    """Let a worker sleep when it has begun a trial; its place, in a list."""
    while True:
        assert worker.poll() is None
        time.sleep(0.1)
        if training_of(worker, storage, folder):
            worker.send_signal(signal.SIGSTOP)
            # Nothing ends between looking and what is done with it now.
            if places := training_of(worker, storage, folder):
                return places
            worker.send_signal(signal.SIGCONT)


def training_of(worker, storage, folder):
    """The place of the trial that a worker has claimed and begun, if there is one now."""
    running = [trial for trial in loaded(storage).get_trials() if trial.state is TrialState.RUNNING]
    places = [t.user_attrs["place"] for t in running if t.user_attrs.get("pid") == worker.pid]
    return [place for place in places if (folder / f"{place}/begun").exists()]
