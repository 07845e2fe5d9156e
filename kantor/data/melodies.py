"""Plans for melodies to which other voices are composed."""

import math
from dataclasses import replace
from itertools import accumulate

import numpy as np

from kantor import params, planning
from kantor import plan as plans
from kantor.data.plans import phrase_ends
from kantor.judging.key import melody_key
from kantor.metadata import Metadata
from kantor.notation.melody import Melody
from kantor.params import Wish
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError


def planned(melody: Melody, wish: Wish) -> tuple[np.ndarray, Metadata, list[str]]:
    """The plan (rows, 6) of a piece on a melody, its key and bars as metadata, and a sentence on
    each that is neither wished nor told by the melody's file.

    What is wished counts first, then what the file tells. A key that neither tells is found by the
    notes. Bars stay open then, and so do phrases, but for the last: it is told in the last bar.

    Raises KantorError if the wish contradicts the file or the length of the melody.
    """
    told = melody.metadata
    remarks = []
    asked = {"metre": _metre(told), "pickup": told.pickup} | wish.model_dump(exclude_none=True)
    if not wish.key:
        asked["key"] = f"{told.key} {told.mode}"
        if not (told.key and told.mode):
            asked["key"] = " ".join(plans.key_name(*melody_key(melody.line, told.signature)))
            remarks.append(f"key: found {asked['key']}; --key says another")
    both = params.checked(Wish, asked, "what is asked for, and what the melody's file tells")

    rows = len(melody.line)
    plan = plans.unknown(rows)
    plan[:, BAR], plan[:, PLACE] = melody.details.bar, melody.details.place
    plan = planning.as_wished(plan, wish, both)
    plan[:, LEFT] = rows - np.arange(rows)
    plan[:, PHRASE] = _phrases(melody, plan, wish)
    if plan[0, BAR] == UNKNOWN:
        remarks.append("bars: not told; --metre and --pickup say them")
    elif plan[0, PLACE] == UNKNOWN:
        remarks.append("bars: where the first one begins is not told; --pickup says it")
    description = planning.described(plan, both)
    signature = None if wish.key else told.signature
    if signature is None:
        signature = plans.sharps(*plan[0, [TONIC, MODE]].tolist())
    return plan, replace(description, signature=signature), remarks


def _metre(metadata: Metadata) -> str | None:
    """The metre that is told, if it is one that can be asked for."""
    return metadata.metre if plans.METRE.fullmatch(metadata.metre) else None


def _phrases(melody: Melody, plan: np.ndarray, wish: Wish) -> np.ndarray:
    """The column PHRASE (rows,) for a melody, of whose plan the bars and rows left are known."""
    rows, left = len(plan), plan[:, LEFT]
    ends = phrase_ends(melody.details)
    # A fermata on the last note alone doesn't say that all before it is one phrase.
    ends = [] if ends == [rows] else ends
    if wish.phrases or wish.bars:
        bar = _wished_bar(plan, wish)
        if wish.phrases:
            ends = [end * bar for end in accumulate(wish.phrases)]
    if ends:
        # The last phrase ends with the melody, be its last bar full or not.
        return plans.to_next(sorted({*ends, rows}), np.arange(rows))
    last_bar = plans.ROWS_PER_WHOLE if plan[-1, BAR] == UNKNOWN else plan[-1, BAR]
    return np.where(left <= last_bar, left, UNKNOWN)


def _wished_bar(plan: np.ndarray, wish: Wish) -> int:
    """The rows of a bar, if the bars that are wished are those of the plan."""
    bar, rows = int(plan[0, BAR]), len(plan)
    if bar == UNKNOWN or (plan[:, BAR] != bar).any():
        raise KantorError(
            "phrases are counted in bars, and the melody has no single metre; name it with --metre"
        )
    wished = sum(wish.phrases) if wish.phrases else wish.bars
    bars = math.ceil(rows / bar)
    if wished != bars:
        raise KantorError(
            f"{wished} bars are asked for; expected {bars}, as many as the melody has"
        )
    return bar
