"""A process that ends with the one that started it."""

import ctypes
import os
import select
import signal
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
STAGE = "DVC_STAGE"  # which DVC sets for the command of a stage


def end_with_dvc() -> None:
    """End by SIGTERM when the `dvc repro` that runs this stage ends, or has ended, under Linux.

    A stage that outlives a killed `dvc repro` would go on beside the stage of the next one. One
    that is started by hand goes on when its shell is closed: that may be wanted.
    """
    if STAGE not in os.environ or sys.platform != "linux":
        return
    # Between DVC and its stage there is a shell, which doesn't end with DVC, unless it makes way
    # for its last command, as bash does and dash doesn't.
    process = os.getppid()
    try:
        while _is_of_the_stage(process):
            process = _parent(process)
        end = os.pidfd_open(process)
    except (FileNotFoundError, ProcessLookupError):  # it ends just now
        os.kill(os.getpid(), signal.SIGTERM)
    except OSError:  # a container may forbid it
        end_with_parent()
    else:
        _end_without(process)
        threading.Thread(target=_wait, args=(end,), daemon=True, name="end with DVC").start()


def _wait(end: int) -> None:
    select.select([end], [], [])
    os.kill(os.getpid(), signal.SIGTERM)


def end_with_parent() -> None:
    """End by SIGTERM when the process that started this one ends, or has ended, under Linux."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    _end_without(os.getppid())


def _end_without(parent: int) -> None:
    """End if the parent isn't of this session: it has adopted a process whose own has ended."""
    if os.getsid(parent) != os.getsid(0):
        os.kill(os.getpid(), signal.SIGTERM)


def _is_of_the_stage(process: int) -> bool:
    """Whether DVC started a process for the stage: not DVC itself, nor what is above it."""
    try:
        variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except PermissionError:  # of another user
        return False
    return f"{STAGE}={os.environ[STAGE]}".encode() in variables


def _parent(process: int) -> int:
    """The number of a process's parent: the second field after its name, which is in brackets."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
