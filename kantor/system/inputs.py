"""Files that people name: looked at before anything reads them, and read within limits."""

import lzma
import os
import signal
import stat
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kantor.system.errors import KantorError

MEBIBYTE = 2**20
ANY_SIZE = float("inf")
MOST_MEMBERS = 100
CHUNK = 2**16
# RuntimeError is what zipfile says of a password, NotImplementedError of odd compression.
BROKEN_ARCHIVE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, ValueError, RuntimeError),
)
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class _TooLate(BaseException):
    """Not an Exception, so that no library takes it for a fault of its own."""


def check(path: Path, expected: str, mebibytes: float, missing: str) -> None:
    """Raise KantorError unless there is a file at `path` that can be read, is not empty and has
    at most so many mebibytes. `expected` is what it should be, such as "a score"; `missing` is
    said of one that isn't there.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise KantorError(f"{path}: {missing}") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise KantorError(f"{path}: {reason}; expected {expected}; name another file") from None
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        what = KINDS.get(kind, "no ordinary file")
        raise KantorError(f"{path}: {what}; expected {expected}; name a file")
    if not os.access(path, os.R_OK):
        raise KantorError(f"{path}: permission denied; expected {expected}; make it readable")
    if not status.st_size:
        raise KantorError(f"{path}: an empty file; expected {expected}")
    if status.st_size > mebibytes * MEBIBYTE:
        raise KantorError(
            f"{path}: {status.st_size / MEBIBYTE:.1f} MiB; expected {expected} of at most "
            f"{mebibytes:g} MiB; name a smaller file"
        )


def check_archive(path: Path, expected: str, mebibytes: float) -> None:
    """Raise KantorError unless a zip archive is whole, and unpacks to so many mebibytes at most.

    What its directory says of sizes is looked at first, since a small file can hide a giant one.
    Then all is unpacked once, piece by piece and into nothing, since the directory can lie: more
    than it says is never unpacked, and another content has another checksum.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise KantorError(
                    f"{path}: {len(members)} files packed into it; expected {expected}, of at "
                    f"most {MOST_MEMBERS}"
                )
            size = sum(member.file_size for member in members)
            if size > mebibytes * MEBIBYTE:
                raise KantorError(
                    f"{path}: unpacks to {size / MEBIBYTE:.1f} MiB; expected {expected} of at "
                    f"most {mebibytes:g} MiB"
                )
            for member in members:
                with archive.open(member) as file:
                    while file.read(CHUNK):
                        pass
    except BROKEN_ARCHIVE as error:
        raise KantorError(
            f"{path}: a damaged zip archive ({reason(error)}); expected {expected}; get the file "
            "again"
        ) from error


def reason(error: BaseException) -> str:
    """What an error says, in one short line; its kind if it says nothing."""
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def time_limit(seconds: float, sentence: str) -> Iterator[None]:
    """Raise KantorError with this sentence if the block takes longer.

    It is for blocks of Python code: a signal's handler runs between two of its steps. A single
    call into C goes on to its end, so the block's inputs must be limited in size as well. A child
    process could be stopped anywhere, but either loads all libraries again, for seconds, or is a
    copy of a process with TensorFlow's threads, which may hang.

    Only the main thread gets signals; in another one the block has no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGALRM, stop)
    # It rings again every second: Python ignores what is raised while it frees an object.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    except _TooLate:
        raise KantorError(sentence) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
