"""Errors that a user can mend, and how a command ends on one."""

import os
import sys
from collections.abc import Callable

from kantor.system import parent


class KantorError(Exception):
    """One sentence: where, what was there, what was expected and what to do."""


def run(command: Callable[[], None]) -> None:
    """Call `command`; on bad input print one sentence and exit with code 1.

    With KANTOR_DEBUG=1 in the environment the traceback is shown as well.
    """
    parent.end_with_dvc()
    try:
        command()
    except (KantorError, OSError) as error:
        if os.environ.get("KANTOR_DEBUG") == "1":
            raise
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped by the keyboard; run the same command again to go on")
