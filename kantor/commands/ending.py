"""A piece of which beginning and ending are there, and what is between is to be composed."""

import numpy as np

from kantor import details, planning
from kantor import plan as plans
from kantor.chorale import VOICES
from kantor.commands.source import Source
from kantor.details import Details
from kantor.plan import BAR, PHRASE, PLACE, ROWS_PER_WHOLE, UNKNOWN
from kantor.system.errors import KantorError


def joined(prompt: Source, ending: Source, rows: int) -> Source:
    """The prompt, `rows` unknown rows and the ending. Key and bars are those of the prompt, and so
    is the signature.

    Raises KantorError if it is too long.
    """
    both = len(prompt.grid) + len(ending.grid)
    if both + rows > planning.LONGEST:
        raise KantorError(
            f"{both} rows of prompt and ending and {rows} between; expected no more than "
            f"{planning.LONGEST} in all"
        )
    between = np.full((rows, len(VOICES)), UNKNOWN)
    plan = plans.continued(prompt.plan, rows + len(ending.grid))
    plan[len(prompt.grid) :, PHRASE] = UNKNOWN
    plan[-len(ending.grid) :, PHRASE] = ending.plan[:, PHRASE]
    parts = zip(prompt.details, details.unknown(rows), ending.details, strict=True)
    extras = Details(*map(np.concatenate, parts))
    return Source(
        np.concatenate([prompt.grid, between, ending.grid]),
        plan,
        extras._replace(signature=np.full(len(plan), details.NO_SIGNATURE)),
        prompt.metadata,
    )


def rows_between(prompt: Source, ending: Source, bars: int) -> int:
    """The rows nearest to so many bars after which the ending begins where in the bar it does in
    its own file; that many bars if a file doesn't tell where that is.

    Raises KantorError if prompt and ending have different metres.
    """
    (bar, place), (its_bar, its_place) = (
        source.plan[row, [BAR, PLACE]].tolist() for source, row in ((prompt, -1), (ending, 0))
    )
    if UNKNOWN not in (bar, its_bar) and bar != its_bar:
        raise KantorError(
            f"the prompt ends in {plans.metre_name(bar)}, and the ending begins in "
            f"{plans.metre_name(its_bar)}; expected one metre; --metre lays one over both, and "
            "--rows leaves bars aside"
        )
    if UNKNOWN in (bar, place, its_bar, its_place):
        return bars * (ROWS_PER_WHOLE if bar == UNKNOWN else bar)
    late = (its_place - place - 1) % bar
    return (bars if 2 * late <= bar else bars - 1) * bar + late
