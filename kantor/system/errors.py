"""Errors that a user can mend, and how a program of this project ends on one, or on Ctrl-C."""

import os
import sys
from collections.abc import Callable
from types import TracebackType

INTERRUPTED = 130  # the exit code of what SIGINT ended, as shells have it


class KantorError(Exception):
    """One sentence: where, what was there, what was expected and what to do."""


def run(command: Callable[[], None]) -> None:
    """Call `command`; on bad input print one sentence and exit with code 1, on Ctrl-C with 130.

    With KANTOR_DEBUG=1 in the environment the traceback of bad input is shown as well.
    """
    try:
        command()
    except (KantorError, OSError) as error:
        if os.environ.get("KANTOR_DEBUG") == "1":
            raise
        sys.exit(f"error: {error}")
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is the reason, maybe of what a library makes of it while it is loaded."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Make one line of a Ctrl-C that comes before `run` or after it, as while libraries load."""
    if not _is_interrupt(error):
        sys.__excepthook__(kind, error, trace)
        return
    print("interrupted", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


sys.excepthook = _hook
