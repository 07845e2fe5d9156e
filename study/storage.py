"""Where the trials of a search stand: a journal file, or a database that machines share."""

import fcntl
import os
import time
import warnings
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalStorage
from sqlalchemy.exc import SQLAlchemyError

from kantor.system.errors import KantorError

BEATS = 6  # of the heart, in the time after which a worker that shows none is dead
TRIES = 5
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
optuna.logging.set_verbosity(optuna.logging.WARNING)


class Lock:
    """A file that one process at a time can hold; the system takes it away from the dead.

    Unlike a lock of Optuna's own it needs no grace when its holder was killed.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, -1

    def acquire(self, wait: bool = True) -> bool:
        """Take it; False if another process has it and we don't `wait`."""
        file = os.open(self._path, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let go of it."""
        os.close(self._file)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


def journal(folder: Path) -> BaseStorage:
    """A journal file in this folder, for the workers of one machine."""
    lock = Lock(folder / "journal.lock")
    return JournalStorage(JournalFileBackend(str(folder / "journal.log"), lock_obj=lock))


def database(url: str, dead_after: int) -> BaseStorage:
    """A database, for the workers of many; who shows no heartbeat for `dead_after` seconds is
    dead. KantorError tells of a database that can't be reached.
    """
    if dead_after < BEATS:
        raise KantorError(f"--dead-after is {dead_after}: expected {BEATS} seconds or more")
    # Workers that begin at the same moment may all try to make the tables.
    for left in reversed(range(TRIES)):
        try:
            return RDBStorage(
                url,
                engine_kwargs={"pool_pre_ping": True},
                heartbeat_interval=dead_after // BEATS,
                grace_period=dead_after,
            )
        except (SQLAlchemyError, ImportError, RuntimeError) as error:
            if not left or not isinstance(error, SQLAlchemyError):
                found = str(error).splitlines()[0]
                raise KantorError(
                    f"--storage: can't be opened: {found}; expected the address of a "
                    "database that is there, such as postgresql://user@host/kantor"
                ) from None
            time.sleep(1)
    raise AssertionError
