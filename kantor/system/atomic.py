"""Outputs that are there whole or not at all: written beside, then renamed."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What tempfile puts between a prefix and a suffix.
RANDOM = "[a-z0-9_]{8}"


@contextmanager
def output(path: Path) -> Iterator[Path]:
    """Yield a free path beside `path`, for a file or folder that becomes `path` at the end.

    If the block fails, `path` stays what it was. A folder that `path` was is replaced. What a
    killed process left beside `path` is removed; what a living one writes there is not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f".{path.name}.", suffix=".partial"
    ) as folder:
        lock = _lock(Path(folder))
        try:
            fresh, old = Path(folder) / path.name, Path(folder) / "old"
            yield fresh
            if not path.is_dir():
                fresh.replace(path)
                return
            path.rename(old)
            try:
                fresh.rename(path)
            except OSError:
                old.rename(path)
                raise
        finally:
            os.close(lock)


def _remove_abandoned(path: Path) -> None:
    """Remove the unfinished outputs for `path` whose processes have ended."""
    name = re.compile(rf"\.{re.escape(path.name)}\.{RANDOM}\.partial")
    for folder in path.parent.iterdir():
        if name.fullmatch(folder.name):
            try:
                lock = _lock(folder)
            except (BlockingIOError, FileNotFoundError):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


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
