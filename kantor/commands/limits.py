"""How much may be asked of the commands that write pieces, and what it needs of the machine."""

import argparse
import math
from collections.abc import Iterable
from typing import NamedTuple

from kantor.bounds import LONGEST
from kantor.chorale import VOCABULARY_SIZE
from kantor.system import memory
from kantor.system.errors import KantorError


class Limit(NamedTuple):
    """The lowest and the highest number that an option takes, and why there is a highest."""

    lowest: int
    highest: int
    reason: str


_SHORTER = "the longest chorale has 640 rows"
LIMITS = {
    "count": Limit(1, 10_000, "each piece takes seconds, and megabytes on the disk"),
    "seed": Limit(0, 2**31 - 1, "seeds have 31 bits, as in params.yaml"),
    "top_k": Limit(
        0, VOCABULARY_SIZE, f"there are {VOCABULARY_SIZE - 1} notes and the silence; 0 = all"
    ),
    "particles": Limit(1, 4096, "all of them are composed at the same time"),
    "rows": Limit(1, LONGEST, _SHORTER),
    "prompt_rows": Limit(0, LONGEST, _SHORTER),
    "bars": Limit(1, LONGEST, f"a bar has a row or more, and a piece no more than {LONGEST}"),
    "phrases": Limit(1, LONGEST, f"a bar has a row or more, and a piece no more than {LONGEST}"),
}

# As measured with the default network, and rounded up: of TensorFlow and what it compiles; of each
# piece that is composed at the same time, and each row of it; of each row of a finished piece.
LOADED = 1.2 * memory.GIGABYTE
BYTES_A_PIECE = 65_536
BYTES_A_ROW = 512
BYTES_A_FINISHED_ROW = 256
# So many are composed at the same time; kantor.sampling.sampler.PIECES_AT_ONCE.
PIECES_AT_ONCE = 256


def check(arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Raise KantorError if one of the options of these names is beyond its limits."""
    for name in names:
        lowest, highest, reason = LIMITS[name]
        value = getattr(arguments, name, None)
        for number in value if isinstance(value, list) else [value]:
            if number is None or lowest <= number <= highest:
                continue
            shown = "a number of too many digits" if math.isinf(number) else number
            expected = f"{lowest} or more" if number < lowest else f"{highest} or less: {reason}"
            raise KantorError(f"--{name.replace('_', '-')} is {shown}; expected {expected}")


def check_rows(rows: int) -> None:
    """Raise KantorError if a piece that is to be completed is too long."""
    if rows > LONGEST:
        raise KantorError(
            f"a piece of {rows} sixteenths; expected {LONGEST} at most, to complete it; cut it"
        )


def check_memory(pieces: int, rows: int, particles: int) -> None:
    """Raise KantorError if this machine lacks the memory for so many pieces of so many rows, each
    with so many particles.
    """
    together = max(particles, min(pieces * particles, PIECES_AT_ONCE))
    needed = LOADED + together * (BYTES_A_PIECE + rows * BYTES_A_ROW)
    needed += pieces * rows * BYTES_A_FINISHED_ROW
    what = f"{pieces} of {rows} rows" + (f" with {particles} particles" if particles > 1 else "")
    advice = "ask for fewer or shorter pieces" + (", or fewer particles" if particles > 1 else "")
    memory.check(needed, f"to compose {what}", advice)
