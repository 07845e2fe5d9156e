"""Errors that a user can mend, and how a program of this project ends on one, or on Ctrl-C."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from types import FrameType, TracebackType

from kantor.system import parent

INTERRUPTED = 130  # the exit code of what SIGINT ended, as shells have it
# Libraries that are being loaded may swallow a Ctrl-C, or make another error of it.
_pressed = threading.Event()


class KantorError(Exception):
    """One sentence: where, what was there, what was expected and what to do."""


@cache
def set_up_process() -> None:
    """Let this process, a program of this project, end with the DVC that runs it, and with one line
    on Ctrl-C whenever that is pressed.

    Programs call it before they import what takes seconds. Whoever imports kantor elsewhere keeps
    his process as it is.
    """
    parent.end_with_dvc()
    sys.excepthook = _hook
    # Whoever has set it otherwise, or ignores it as `nohup` does, keeps that.
    if (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
        and threading.current_thread() is threading.main_thread()
    ):
        signal.signal(signal.SIGINT, _interrupt)


def run(command: Callable[[], None]) -> None:
    """Call `command`; on bad input print one sentence and exit with code 1, on Ctrl-C with 130.

    With KANTOR_DEBUG=1 in the environment the traceback of bad input is shown as well.
    """
    try:
        stop_if_interrupted()
        command()
    except BaseException as error:
        if _is_interrupt(error):
            print("interrupted", file=sys.stderr)
            sys.exit(INTERRUPTED)
        if not isinstance(error, (KantorError, OSError)) or os.environ.get("KANTOR_DEBUG") == "1":
            raise
        sys.exit(f"error: {error}")


def stop_if_interrupted() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed: call it when libraries have been loaded."""
    if _pressed.is_set():
        raise KeyboardInterrupt


def _is_interrupt(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt) or _pressed.is_set()


def _interrupt(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    raise KeyboardInterrupt


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Make one line of a Ctrl-C that comes before `run` or after it, as while libraries load."""
    if not _is_interrupt(error):
        sys.__excepthook__(kind, error, trace)
        return
    print("interrupted", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)
