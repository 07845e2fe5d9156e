"""A process that ends with the one that started it."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def end_with_dvc() -> None:
    """End by SIGTERM when the process that started this one ends, or has ended, if DVC did.

    A stage that outlives a killed `dvc repro` would go on beside the stage of the next one. One
    that is started by hand goes on when its shell is closed: that may be wanted.
    """
    if "DVC_STAGE" in os.environ:
        end_with_parent()


def end_with_parent() -> None:
    """End by SIGTERM when the process that started this one ends, or has ended, under Linux."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent is of the same session; whoever adopts a process whose parent has ended is not.
    if os.getsid(os.getppid()) != os.getsid(0):
        os.kill(os.getpid(), signal.SIGTERM)
