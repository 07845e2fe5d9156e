import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from helpers.project import PROJECT
from kantor.system import atomic
from kantor.system.errors import KantorError

STRANGE = "[a]*?"  # what it matches as a pattern is not its name


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def another_process(path, ends):
    """Another process within `output(path)`: it wrote half a folder, and then `ends` so."""
    code = (
        "import os, sys; from pathlib import Path; from kantor.system import atomic\n"
        "with atomic.output(Path(sys.argv[1])) as fresh:\n"
        "    fresh.mkdir(); (fresh / 'theirs').touch(); print('begun', flush=True)\n"
        f"    {ends}"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, path],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"begun\n"
        yield process


def killed_in(path):
    with another_process(path, "os._exit(1)"):
        pass


def test_an_output_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "reports" / "figures.csv"
    with atomic.output(path) as fresh:
        fresh.write_text("old")
        assert not path.exists()
    with pytest.raises(RuntimeError), atomic.output(path) as fresh:
        fresh.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(path.parent) == ["figures.csv"]


def test_a_block_that_makes_nothing_loses_nothing(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/old").touch()
    with pytest.raises(FileNotFoundError), atomic.output(tmp_path / "samples"):
        pass
    assert (tmp_path / "samples/old").exists()


@pytest.mark.parametrize("name", ["mine", STRANGE])
def test_what_a_killed_process_left_is_removed(tmp_path, name):
    killed_in(tmp_path / name)
    (left,) = names(tmp_path)
    assert left.startswith(f".{name}.") and left.endswith(".partial")
    with atomic.output(tmp_path / name) as fresh:
        fresh.touch()
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(("name", "other"), [("mine", "mine.2"), (STRANGE, "abb")])
def test_what_a_killed_process_left_of_another_output_stays(tmp_path, name, other):
    killed_in(tmp_path / other)
    (left,) = names(tmp_path)
    with atomic.output(tmp_path / name) as fresh:
        fresh.touch()
    assert names(tmp_path) == sorted([left, name])


def test_what_a_living_process_writes_is_left_to_it(tmp_path):
    with another_process(tmp_path / "mine", "sys.stdin.read()") as process:
        with (
            pytest.raises(KantorError, match=rf"mine: process {process.pid} is writing it"),
            atomic.output(tmp_path / "mine"),
        ):
            raise AssertionError
        with atomic.output(tmp_path / "mine.2") as fresh:
            fresh.mkdir()
            (fresh / "ours").touch()
        process.stdin.close()
    assert process.returncode == 0
    assert names(tmp_path / "mine") == ["theirs"] and names(tmp_path / "mine.2") == ["ours"]
    assert names(tmp_path) == ["mine", "mine.2"]


def test_a_folder_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "samples"
    for name in ("first", "second"):
        with atomic.output(path) as fresh:
            fresh.mkdir()
            (fresh / name).touch()
    assert names(path) == ["second"]
    assert names(tmp_path) == ["samples"]


def test_what_appears_while_something_new_is_written_is_kept(tmp_path):
    path = tmp_path / "mine"
    with (
        pytest.raises(KantorError, match=f"{path}: is there already"),
        atomic.output(path, new=True) as fresh,
    ):
        fresh.mkdir()
        (fresh / "ours").touch()
        path.mkdir()
        (path / "theirs").touch()
    assert names(path) == ["theirs"] and names(tmp_path) == ["mine"]
    with atomic.output(tmp_path / "other", new=True) as fresh:
        fresh.touch()
    assert names(tmp_path) == ["mine", "other"]
