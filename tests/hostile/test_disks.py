"""Disks that are full, or can't be written: each writer names the output, and what was there stays.

A small file system in memory is mounted where root may do that; elsewhere files may be no longer
than a few bytes.
"""

import errno
import os
import resource
import shutil
import signal
import subprocess
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from helpers import between, running
from helpers.clone import digests
from helpers.music import random_grid
from kantor import chorale
from kantor.data import records
from kantor.network import model_file
from kantor.notation import piece
from kantor.notation.piece import Piece
from kantor.system import atomic
from kantor.system.errors import KantorError
from kantor.system.runtime import keras
from kantor.training import history
from kantor.training.checkpoint import Checkpoint, State

KIBIBYTE = 2**10


@contextmanager
def longest(size):
    """No file of this process may grow longer than `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def small(tmp_path):
    """A folder on a disk of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def network():
    return keras.Sequential([keras.layers.Input((200,)), keras.layers.Dense(200)])


def in_folder(write):
    """Write a folder as output."""

    def output(path):
        with atomic.output(path) as folder:
            folder.mkdir()
            write(folder)

    return output


def text(path):
    with atomic.output(path) as fresh:
        fresh.write_text("x" * 100_000)


def table(path):
    with atomic.output(path) as fresh:
        pd.DataFrame(np.zeros((10_000, 4))).to_csv(fresh)


def record_file(folder):
    one = records.Record(chorale.encode(random_grid(2000)), 0, 0)
    records.write(folder / "some.tfrecord", [one] * 20)


def pieces(folder):
    piece.save({"one": Piece(random_grid(20_000), "One")}, folder)


def rendered(settings):
    return in_folder(
        lambda folder: piece.write(Piece(random_grid(8), "x"), folder / "x", settings.render)
    )


WRITERS = {
    "text": lambda settings: text,
    "table": lambda settings: table,
    "records": lambda settings: in_folder(record_file),
    "pieces": lambda settings: in_folder(pieces),
    "samples": rendered,
    "model": lambda settings: lambda path: model_file.save(network(), path.with_suffix(".keras")),
    "history": lambda settings: (
        lambda path: history.write(path, [{"epoch": n, "loss": 0.123456} for n in range(20_000)])
    ),
    "checkpoint": lambda settings: (
        lambda path: Checkpoint(path, "this").save(State([np.zeros(50_000)], [], []))
    ),
}


def sentence(write, path):
    """The sentence on an output that can't be written."""
    with pytest.raises(KantorError) as caught:
        write(path)
    words = str(caught.value)
    assert words.startswith(f"{path}") and "nothing was changed there" in words, words
    assert "\n" not in words and ".partial" not in words, words
    return words


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_told_with_the_output(settings, small, writer):
    path = small / "output"
    path.with_suffix(".keras").write_text("before")
    before = digests(small, ".")
    assert os.strerror(errno.ENOSPC) in sentence(WRITERS[writer](settings), path)
    assert digests(small, ".") == before and len(list(small.iterdir())) == 1


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_grows_too_long_is_told_with_the_output(settings, tmp_path, writer):
    path = tmp_path / "output"
    with longest(KIBIBYTE):
        sentence(WRITERS[writer](settings), path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", atomic.FULL, ids=lambda number: errno.errorcode[number])
def test_what_was_there_stays(tmp_path, number):
    path = tmp_path / "output"
    path.mkdir()
    (path / "before").touch()

    def write(path):
        with atomic.output(path) as folder:
            folder.mkdir()
            raise OSError(number, os.strerror(number))

    assert os.strerror(number) in sentence(write, path)
    assert [inner.name for inner in tmp_path.rglob("*")] == ["output", "before"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("file/output", "File exists"),
        ("file/inner/output", "Not a directory"),
        ("/proc/output", "No such file"),
        ("a" * 300, "File name too long"),
        ("/dev/null/output", ""),
    ],
)
def test_where_no_output_can_be_is_told(tmp_path, place, words):
    (tmp_path / "file").touch()
    assert words in sentence(text, tmp_path / place)
    assert [inner.name for inner in tmp_path.iterdir()] == ["file"]


def test_what_is_wrong_with_an_input_is_not_put_on_the_output(tmp_path):
    with pytest.raises(FileNotFoundError, match="input"), atomic.output(tmp_path / "output"):
        (tmp_path / "input").read_text()


def test_preprocess_on_a_full_disk_ends_with_a_sentence(tmp_path, small):
    project = tmp_path / "project"
    project.mkdir()
    between.build(project)
    shutil.copy(project / "params.yaml", small)
    (small / "data").mkdir()
    (small / "data/chorales").symlink_to(project / "data/chorales")
    free = os.statvfs(small).f_bavail * os.statvfs(small).f_bsize
    (small / "filling").write_bytes(bytes(free - 4 * 4096))
    before = digests(small, "params.yaml", "filling")
    words = running.stage("preprocess", small)
    assert words.startswith("error: data/records: can't be written (No space left on device)")
    assert digests(small, "params.yaml", "filling") == before
    assert [path.name for path in (small / "data").iterdir()] == ["chorales"]
