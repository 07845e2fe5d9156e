"""Plans for pieces that don't exist yet: what people ask for, the rest from Bach's chorales."""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from kantor import plan as plans
from kantor.bounds import LONGEST
from kantor.chorale import ROWS_PER_QUARTER
from kantor.details import MOST_SHARPS
from kantor.metadata import Metadata
from kantor.params import Wish
from kantor.plan import BAR, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError


class Outline(NamedTuple):
    """A regular plan in short: see `kantor.plan.regular`."""

    tonic: int
    mode: int
    bar: int
    pickup: int
    ends: list[int]


# What is laid out where there is no chorale to draw from: 16 bars of 4/4, in a key that is open.
PLAINEST = Outline(UNKNOWN, UNKNOWN, 16, 0, [*range(32, 257, 32)])
# Rows of a phrase in a metre that no chorale has: those of four bars of 3/4, at most.
LONGEST_PHRASE = 48


def outlines(chorales: Iterable[np.ndarray]) -> list[Outline]:
    """What pieces can be drawn from: the plans (rows, 6) of chorales that keep one metre and have
    no unknown cell; the plainest one if there is none.
    """
    return [_outline(plan) for plan in chorales if _is_regular(plan)] or [PLAINEST]


def build(
    wish: Wish, chorales: Sequence[Outline], seed: int | Sequence[int], rows: int | None = None
) -> np.ndarray:
    """The plan (rows, 6) of a piece as it is wished, of just `rows` rows if these are given.

    What the wish leaves open is that of one of the chorales, drawn from the seed among those that
    agree with the wish in metre, pickup and mode; if there is none, in metre and pickup; then in
    metre; then among all. The phrases of the drawn one are cut, or repeated from the first, to fit
    the length that is asked for.

    Raises KantorError if what is wished contradicts itself or is longer than 4096 rows.
    """
    drawn = _drawn(wish, chorales, seed)
    tonic, mode = plans.tonality(wish.key) if wish.key else (drawn.tonic, drawn.mode)
    bar = plans.bar_rows(wish.metre) if wish.metre else drawn.bar
    if wish.pickup is not None:
        pickup = round(wish.pickup * ROWS_PER_QUARTER)
    else:
        pickup = drawn.pickup if bar == drawn.bar else 0
    if pickup >= bar:
        raise KantorError(
            f"a pickup of {wish.pickup:g} quarters; expected less than a bar of "
            f"{plans.metre_name(bar)}, or another metre"
        )
    return plans.regular(tonic, mode, bar, pickup, _ends(wish, drawn, bar, rows))


def laid_over(plan: np.ndarray, wish: Wish) -> np.ndarray:
    """A plan (rows, 6) with the key and the bars of a wish, as far as it has them, in place of
    its own.
    """
    plan = plan.copy()
    if wish.key:
        plan[:, [TONIC, MODE]] = plans.tonality(wish.key)
    if wish.metre:
        plan[:, BAR], plan[:, PLACE] = plans.bar_rows(wish.metre), UNKNOWN
    if wish.pickup is not None:
        bar = plan[:, BAR]
        place = (np.arange(len(plan)) - round(wish.pickup * ROWS_PER_QUARTER)) % np.maximum(bar, 1)
        plan[:, PLACE] = np.where(bar == UNKNOWN, UNKNOWN, place)
    return plan


def as_wished(plan: np.ndarray, wish: Wish, both: Wish) -> np.ndarray:
    """A plan (rows, 6) that comes from details, with the key and the bars of `both`, what is wished
    and what the file's metadata tell, in place of its own. Its bars stay if none are wished.
    """
    # Details know of a change of metre, metadata don't.
    as_detailed = wish.metre is None and wish.pickup is None and (plan[:, BAR] != UNKNOWN).any()
    return laid_over(plan, Wish(key=both.key) if as_detailed else both)


def described(plan: np.ndarray, wish: Wish) -> Metadata:
    """Key, metre and pickup of a plan (rows, 6) that was built for a wish, spelt as there if a
    signature can hold it.
    """
    tonic, mode, bar, place, *_ = plan[0].tolist()
    key, mode = ("", "") if UNKNOWN in (tonic, mode) else plans.key_name(tonic, mode)
    metre = "" if bar == UNKNOWN else plans.metre_name(bar)
    pickup = plans.pickup(bar, place)
    if wish.key and abs(plans.signature(wish.key)) <= MOST_SHARPS:
        key, mode = wish.key.split()
        key, mode = key[0].upper() + key[1:].lower(), mode.lower()
    return Metadata(
        rows=len(plan),
        key=key,
        mode=mode,
        metre=wish.metre or metre,
        pickup=pickup if wish.pickup is None else wish.pickup,
    )


def _is_regular(plan: np.ndarray) -> bool:
    bar, place = plan[:, BAR], plan[:, PLACE]
    if (plan == UNKNOWN).any() or (bar != bar[0]).any():
        return False
    return bool((place == (place[0] + np.arange(len(plan))) % bar[0]).all())


def _outline(plan: np.ndarray) -> Outline:
    tonic, mode, bar, place, *_ = plan[0].tolist()
    ends = (np.flatnonzero(plan[:, PHRASE] == 1) + 1).tolist()
    return Outline(tonic, mode, bar, -place % bar, ends)


def _drawn(wish: Wish, chorales: Sequence[Outline], seed: int | Sequence[int]) -> Outline:
    """One of the outlines that agree best with the wish."""
    conditions: list[Callable[[Outline], bool]] = []
    if wish.metre:
        conditions.append(lambda outline: outline.bar == plans.bar_rows(wish.metre))
    if wish.pickup is not None:
        rows = wish.pickup * ROWS_PER_QUARTER
        if not wish.metre:
            conditions.append(lambda outline: outline.bar > rows)
        conditions.append(lambda outline: outline.pickup == rows)
    if wish.key:
        conditions.append(lambda outline: outline.mode == plans.tonality(wish.key)[1])
    for count in range(len(conditions), -1, -1):
        agreeing = [one for one in chorales if all(agrees(one) for agrees in conditions[:count])]
        if agreeing:
            break
    generator = np.random.Generator(np.random.Philox(seed))
    return agreeing[generator.integers(len(agreeing))]


def _ends(wish: Wish, drawn: Outline, bar: int, rows: int | None) -> list[int]:
    """The rows after each phrase of a piece whose bars have `bar` rows."""
    bars = sum(wish.phrases) if wish.phrases else wish.bars
    if bars and rows and bars * bar != rows:
        raise KantorError(
            f"{_count(bars, 'bar')} of {_count(bar, 'row')} in {_count(rows, 'row')}; expected "
            f"{bars * bar} rows, or leave one of the two open"
        )
    as_drawn = bar == drawn.bar
    if not as_drawn:
        bars = bars or max(1, drawn.ends[-1] // drawn.bar)
    length = rows or (bars * bar if bars else drawn.ends[-1])
    if length > LONGEST:
        raise KantorError(f"a piece of {length} rows; expected no more than {LONGEST}")
    if wish.phrases:
        return [end * bar for end in accumulate(wish.phrases)]
    if not as_drawn:
        bars = next((bars for bars in (4, 2) if bars * bar <= LONGEST_PHRASE), 1)
        return _fitted([bars * bar], bar, length)
    return drawn.ends if length == drawn.ends[-1] else _fitted(drawn.ends, bar, length)


def _fitted(ends: list[int], bar: int, rows: int) -> list[int]:
    """The phrases cut, or repeated from the first, to so many rows; one shorter than a bar at the
    end belongs to the phrase before.
    """
    # Repeated phrases begin where in the bar the first ones did.
    period = max(bar, ends[-1] // bar * bar)
    inner = [end for end in ends if end < period] + [period]
    repeated = [start + end for start in range(0, rows, period) for end in inner]
    return [end for end in repeated if end <= rows - bar] + [rows]


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
