"""What a judge says of a piece, in lines for a terminal."""

from collections.abc import Sequence

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER
from kantor.judging import words
from kantor.judging.notes import Error
from kantor.judging.standard import Standard
from kantor.notation.bars import Bars

PLACE_WIDTH = 18


def metre(bars: Bars, told: bool) -> str:
    """How the bars of a piece are counted, and if the file does not tell."""
    counted = f"bars of {', then of '.join(bars.metres)}"
    if not told:
        counted = f"no metre in the file: {counted} from the first note"
    if not bars.pickup:
        return counted
    quarters = bars.pickup / ROWS_PER_QUARTER
    length = "a quarter" if quarters == 1 else f"{quarters:g} quarters"
    return f"{counted}; the pickup of {length} is bar 0"


def errors(listed: Sequence[Error], bars: Bars) -> list[str]:
    """A line for each error, with its place, and one that counts them."""
    lines = [placed(bars, error.row, error.words) for error in listed]
    return [*lines, words.counted(listed)]


def grade(grid: np.ndarray, standard: Standard) -> list[str]:
    """The grade of a grid (rows, 4) beside Bach's, and its distances, the worst first."""
    distances = standard.reference.features(grid)
    total = sum(distances.values())
    lines = [
        f"grade {total:.2f} (the distance from Bach: less is better)",
        f"Bach's validation chorales: median {standard.median:.2f}; {standard.worse(total):.0%} "
        "of them are worse",
        "the parts of the grade, the worst first, beside Bach's medians:",
        f"  {'':10}{'here':>8}{'Bach':>8}",
    ]
    for name, distance, median in standard.compared(distances):
        lines.append(f"  {name:10}{distance:8.2f}{median:8.2f}")
    return lines


def placed(bars: Bars, row: int, text: str) -> str:
    """A line about a row, with its bar and beat before it."""
    return f"  {bars.words(row):{PLACE_WIDTH}} {text}"
