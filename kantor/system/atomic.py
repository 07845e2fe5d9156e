"""Outputs that are there whole or not at all: written beside, then renamed; each by one process."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kantor.system.errors import KantorError

# What a disk answers that takes no more.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
POLL_SECONDS = 0.1
OWNER = "process"  # the file with the number of the process that writes


class OutputError(KantorError):
    """An output can't be written."""


@contextmanager
def output(path: Path, patience: float = 0.0, new: bool = False) -> Iterator[Path]:
    """Yield a free path beside `path`, for a file or folder that becomes `path` at the end.

    If the block fails, `path` stays what it was. What `path` was is replaced, unless it has to be
    `new`: then KantorError says at the end that something is there. What a killed process left
    beside `path` is removed. Raises OutputError if a living process is writing
    the same output, and still is after `patience` seconds, or if there is no place for it.
    """
    folder = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _claim(folder, time.monotonic() + patience)
    except BlockingIOError:
        raise OutputError(_taken(path, folder)) from None
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        fresh, old = folder / path.name, folder / "old"
        yield fresh
        if new:
            check_new(path)
        if not path.is_dir():
            fresh.replace(path)
            return
        path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            old.rename(path)
            raise
    except OutputError as error:  # of an output within this one
        raise _unwritable(path, error.__cause__ or error) from error
    except OSError as error:
        if error.errno in FULL:
            raise _unwritable(path, error) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def check_new(path: Path) -> None:
    """Raise KantorError if a path is there."""
    if path.exists() or path.is_symlink():
        raise KantorError(f"{path}: is there already; name another one")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only process that is in such a block for a folder, which is made if need be.

    Raises OutputError if another one is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = _lock(folder)
    except BlockingIOError:
        raise OutputError(_taken(folder, folder)) from None
    try:
        yield
    finally:
        os.close(lock)


def _claim(folder: Path, deadline: float) -> int:
    """Make a folder, empty and locked; BlockingIOError if a living process has it at the deadline,
    by the monotonic clock.
    """
    while True:
        folder.mkdir(exist_ok=True)
        try:
            lock = _lock(folder)
            # Whoever had it before may have removed it since it was opened.
            if folder.stat().st_ino == os.fstat(lock).st_ino:
                break
            os.close(lock)
        except FileNotFoundError:
            continue
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(POLL_SECONDS)
    try:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        (folder / OWNER).write_text(str(os.getpid()))
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        raise
    return lock


def _lock(folder: Path) -> int:
    """Hold a folder until the descriptor is closed or the process ends.

    BlockingIOError if another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def _taken(path: Path, folder: Path) -> str:
    try:
        who = f"process {(folder / OWNER).read_text():.20}"
    except OSError:
        who = "another process"
    return f"{path}: {who} is writing it; wait until that is done, or end it"


def _unwritable(path: Path, error: BaseException) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(
        f"{path}: can't be written ({reason}); nothing was changed there; see to "
        "it that there is room and that you may write, and run the same command again"
    )
