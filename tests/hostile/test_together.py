"""Two processes at once, and a process whose parent has gone."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from helpers import running
from helpers.processes import outlives
from helpers.project import PROJECT
from kantor.system import atomic
from kantor.system.errors import KantorError

WRITING = (
    "import sys; from pathlib import Path; from kantor.system import atomic\n"
    "with atomic.output(Path(sys.argv[1])) as fresh:\n"
    "    fresh.mkdir(); (fresh / 'theirs').touch(); print('begun', flush=True); sys.stdin.read()"
)
# What a parent starts that is killed: the child says its number, and goes on to load its libraries.
CHILDREN = {
    "while libraries load": (
        "import os, time; import stages; print(os.getpid(), flush=True); time.sleep(60)"
    ),
    "before": (
        "import os, time\nparent = os.getppid(); print(os.getpid(), flush=True)\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"
        "import stages; time.sleep(60)"
    ),
}
# Reads scores on all cores, and says the numbers of its workers when the first one is read.
READING = (
    "import multiprocessing; from kantor.data import music21_corpus as corpus\n"
    "for _ in corpus.read_all(corpus.manifest()):\n"
    "    print(*[child.pid for child in multiprocessing.active_children()], flush=True)"
)
# Variables are for the child alone, as DVC's are.
PARENT = (
    "import os, subprocess, sys; own = dict(word.split('=') for word in sys.argv[2:])\n"
    "subprocess.run([sys.executable, '-c', sys.argv[1]], env=os.environ | own)"
)


def environment():
    clean = {name: value for name, value in os.environ.items() if name != "DVC_STAGE"}
    return clean | {"PYTHONPATH": str(PROJECT)}


@contextmanager
def another(path):
    """Another process that is writing an output."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, path],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"begun\n"
        yield process


def write(path, name="ours"):
    with atomic.output(path) as fresh:
        fresh.mkdir()
        (fresh / name).touch()


@pytest.mark.parametrize(
    "name", ["mine.b", "mine.abcdefgh", "mine.partial", ".mine", "mine2", "min", ".mine.partial.b"]
)
def test_outputs_of_like_names_are_apart(tmp_path, name):
    with another(tmp_path / name) as process:
        write(tmp_path / "mine")
        process.stdin.close()
    assert process.returncode == 0
    assert [path.name for path in (tmp_path / name).iterdir()] == ["theirs"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["ours"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "mine"])


def test_an_output_that_is_being_written_is_left_alone(tmp_path):
    with another(tmp_path / "mine") as process:
        words = f"mine: process {process.pid} is writing it; wait until that is done, or end it"
        with pytest.raises(KantorError, match=words):
            write(tmp_path / "mine")
        process.stdin.close()
    assert process.returncode == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["theirs"]


def test_one_that_waits_comes_after(tmp_path):
    with another(tmp_path / "mine") as process:
        process.stdin.close()
        with atomic.output(tmp_path / "mine", patience=30) as fresh:
            fresh.mkdir()
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_one_that_was_ended_leaves_nothing_in_the_way(tmp_path, number):
    with another(tmp_path / "mine") as process:
        process.send_signal(number)
    write(tmp_path / "mine")
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "ours"]


def test_many_writers_of_one_output_leave_one_whole(tmp_path):
    code = WRITING.replace("sys.stdin.read()", "(fresh / 'end').touch()")
    many = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "mine"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(8)
    ]
    said = [process.communicate()[1].decode() for process in many]
    assert all("is writing it" in words for words in said if words)
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"theirs", "end"}
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_train_beside_a_training_says_so(tmp_path, settings_file):
    (tmp_path / "params.yaml").write_text(settings_file.read_text())
    with atomic.alone(tmp_path / "models"):
        sentence = running.stage("train", tmp_path)
    assert sentence.startswith("error: models: ") and "is writing it" in sentence
    assert "data/records" in running.stage("train", tmp_path)


@pytest.mark.parametrize(
    ("variables", "ends"), [(["DVC_STAGE=train"], True), ([], False)], ids=["DVC", "a shell"]
)
@pytest.mark.parametrize("moment", CHILDREN)
def test_a_stage_ends_with_dvc_and_not_with_a_shell(variables, ends, moment):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILDREN[moment], *variables],
        env=environment(),
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        lives = outlives(child, seconds=30 if ends else 1)
    assert lives is not ends


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_those_that_read_scores_end_with_the_one_that_asked_for_them(number):
    command = [sys.executable, "-c", READING]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) as process:
        workers = [int(worker) for worker in process.stdout.readline().split()]
        process.send_signal(number)
    lives = [outlives(worker, seconds=30) for worker in workers]
    assert lives and not any(lives)
