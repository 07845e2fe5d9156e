"""Whether other processes live, under Linux."""

import os
import signal
import time
from pathlib import Path


def alive(process: int) -> bool:
    """Whether a process lives; one that nobody has waited for doesn't."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def outlives(process: int, seconds: float) -> bool:
    """Whether a process that has lost its parent still lives so much later; then it is ended."""
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    lives = alive(process)
    if lives:
        os.kill(process, signal.SIGKILL)
    return lives
