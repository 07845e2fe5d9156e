"""The plan of a piece: what is asked of each row beside its notes.

A **plan** is an int32 array (rows, 6). UNKNOWN may stand in any cell. The columns are

- TONIC: the pitch class of the piece's tonic, 0 to 11, 0 = C;
- MODE: 0 major, 1 minor;
- BAR: how many rows the row's bar has, 16 in 4/4;
- PLACE: the row's place in that bar, from 0; a pickup has the last places of a bar;
- PHRASE: rows to the end of the phrase, this one included; a phrase ends with the last row of the
  note that has the fermata, and there is 1;
- LEFT: rows to the end of the piece, this one included.

Keys and metres are written as people do: D minor, Bb major, 3/4. What is written wrongly raises
ValueError that says what is expected.
"""

import re
from collections.abc import Sequence
from itertools import product

import numpy as np

from kantor.chorale import ROWS_PER_QUARTER

UNKNOWN = -1
TONIC, MODE, BAR, PLACE, PHRASE, LEFT = range(6)
COLUMNS = 6
KEY_COLUMNS = 2  # the first of them

ROWS_PER_WHOLE = 4 * ROWS_PER_QUARTER
MODES = ("major", "minor")
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS = "FCGDAEB"
ALTERATIONS = {"": 0, "#": 1, "b": -1}
TONICS = {
    "major": ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"],
    "minor": ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"],
}
# All that a piece may be in, int32 (25, 2): tonic and mode, or none.
KEYS = np.array([(UNKNOWN, UNKNOWN), *product(range(12), range(2))], np.int32)
KEY = re.compile(r"([A-G])([#b]?) +(major|minor)", re.IGNORECASE)
GERMAN = re.compile(r"H\b", re.IGNORECASE)
METRE = re.compile(r"([1-9]\d?)/(1|2|4|8|16)")


def unknown(rows: int) -> np.ndarray:
    """The plan (rows, 6) that asks for nothing."""
    return np.full((rows, COLUMNS), UNKNOWN, np.int32)


def regular(tonic: int, mode: int, bar: int, pickup: int, ends: Sequence[int]) -> np.ndarray:
    """The plan of a piece that keeps its metre: `bar` and `pickup` in rows; `ends` are the rows
    after each phrase, rising, the last one the length of the piece.
    """
    row = np.arange(ends[-1])
    plan = unknown(ends[-1])
    plan[:, TONIC], plan[:, MODE] = tonic, mode
    plan[:, BAR], plan[:, PLACE] = bar, (row - pickup) % bar
    plan[:, PHRASE], plan[:, LEFT] = to_next(ends, row), ends[-1] - row
    return plan


def to_next(ends: Sequence[int], row: np.ndarray) -> np.ndarray:
    """How many rows there are from each row (n,), itself included, to the next of some ends."""
    ends = np.asarray(ends)
    return ends[np.searchsorted(ends, row, "right")] - row


def transposed(plan: np.ndarray, semitones: int) -> np.ndarray:
    """The plan of the same piece some semitones higher, in the same mode."""
    moved = plan.copy()
    tonic = plan[:, TONIC]
    moved[:, TONIC] = np.where(tonic == UNKNOWN, UNKNOWN, (tonic + semitones) % 12)
    return moved


def continued(plan: np.ndarray, rows: int) -> np.ndarray:
    """The plan of a piece that begins as this one, of one row or more, and has `rows` rows more.

    Key and bars go on, and the piece ends with its last row. Where the phrases after the
    beginning end is open, but for the last, which is told in the last bar.
    """
    before = len(plan)
    longer = np.concatenate([plan, np.repeat(plan[-1:], rows, axis=0)])
    row = np.arange(len(longer))
    bar, place = plan[-1, BAR], plan[-1, PLACE]
    told = UNKNOWN not in (bar, place)
    longer[before:, PLACE] = (place + 1 + np.arange(rows)) % bar if told else UNKNOWN
    longer[:, LEFT] = len(longer) - row
    longer[row + longer[:, PHRASE] > before, PHRASE] = UNKNOWN
    last = slice(-min(rows, ROWS_PER_WHOLE if bar == UNKNOWN else bar), None)
    longer[last, PHRASE] = longer[last, LEFT]
    return longer


def tonality(key: str) -> tuple[int, int]:
    """Tonic, 0 to 11, and mode, 0 or 1, of a key such as Bb major."""
    if not (parts := KEY.fullmatch(key.strip())):
        german = "; German H is B here, and German B is Bb" if GERMAN.match(key.strip()) else ""
        raise ValueError(
            f"expected a tonic, C to B, with # or b behind it or not, and major or minor, such as "
            f"D minor or Bb major{german}"
        )
    step, alteration, mode = parts.groups()
    tonic = STEPS[step.upper()] + ALTERATIONS[alteration.lower()]
    return tonic % 12, MODES.index(mode.lower())


def signature(key: str) -> int:
    """The sharps of a key as it is spelt, flats negative: 8 of G# major, -4 of Ab major."""
    step, alteration, mode = KEY.fullmatch(key.strip()).groups()
    fifths = FIFTHS.index(step.upper()) - 1 + 7 * ALTERATIONS[alteration.lower()]
    return fifths - 3 * MODES.index(mode.lower())


def pickup(bar: int, place: int) -> float | None:
    """The quarters before the first whole bar, by where the first row is; None if UNKNOWN."""
    return None if UNKNOWN in (bar, place) else -place % bar / ROWS_PER_QUARTER


def bar_rows(metre: str) -> int:
    """The rows of a bar of a metre such as 3/4."""
    if not (parts := METRE.fullmatch(metre)):
        raise ValueError(
            "expected 1 to 99 beats and their unit (1, 2, 4, 8 or 16), such as 4/4, 3/4 or 12/8"
        )
    beats, unit = map(int, parts.groups())
    return beats * ROWS_PER_WHOLE // unit


def key_name(tonic: int, mode: int) -> tuple[str, str]:
    """How tonic and mode are written: such as Bb and major."""
    return TONICS[MODES[mode]][tonic], MODES[mode]


def sharps(tonic: int, mode: int) -> int:
    """The signature of a key in sharps, flats negative: -5 to 6, in minor -6 to 5."""
    most = 6 - mode
    major = tonic + 3 * mode
    return (7 * major - most - 1) % 12 + most - 11


def metre_name(bar: int) -> str:
    """The usual metre whose bar has so many rows, such as 3/4 for 12 and 3/2 for 24."""
    units = (2, 4, 8, 16) if bar > ROWS_PER_WHOLE else (4, 8, 16)
    unit = next(unit for unit in units if bar * unit % ROWS_PER_WHOLE == 0)
    return f"{bar * unit // ROWS_PER_WHOLE}/{unit}"
