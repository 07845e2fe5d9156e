"""What is asked for, and the memory that this machine has."""

import os

from kantor.system.errors import KantorError

GIGABYTE = 10**9


def check(needed: float, what: str, advice: str) -> None:
    """Raise KantorError if this machine lacks `needed` bytes: `what` takes too much; `advice`."""
    there = installed()
    if needed > there:
        raise KantorError(
            f"{what} takes about {needed / GIGABYTE:.1f} GB of memory, and this machine has "
            f"{there / GIGABYTE:.1f}; {advice}"
        )


def installed() -> int:
    """The bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
