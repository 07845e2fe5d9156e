"""How much may be asked of the commands that write pieces."""

import argparse
import math
from collections.abc import Iterable
from typing import NamedTuple

from kantor.bounds import LONGEST
from kantor.chorale import VOCABULARY_SIZE
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
