"""The columns of Humdrum's **kern, which music21 doesn't count: what a short line leaves out is
lost without a word. Tabs are read as music21 reads them: several are like one. See "The Humdrum
User Guide" (Huron, 1999), chapter 5.
"""

import re
from itertools import groupby
from pathlib import Path

from kantor.system.errors import KantorError

SUFFIX = ".krn"
COMMENT, INTERPRETATION = "!!", "*"
SPLIT, JOIN, ADD, END = "*^", "*v", "*+", "*-"


def check(path: Path, text: str) -> None:
    """Raise KantorError if a line hasn't as many tokens as there are spines."""
    spines = 0
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.rstrip()
        if not line or line.startswith(COMMENT):
            continue
        tokens = re.split("\t+", line)
        if spines and len(tokens) != spines:
            raise KantorError(
                f"{path}: line {number} has {len(tokens)} tokens; expected {spines}, one for each "
                "spine, with tabs between them; mend the line"
            )
        spines = _after(tokens)


def _after(tokens: list[str]) -> int:
    """How many spines there are after a line: 0 if all have ended."""
    if not tokens[0].startswith(INTERPRETATION):
        return len(tokens)
    joined = sum(len(list(same)) - 1 for token, same in groupby(tokens) if token == JOIN)
    return len(tokens) + tokens.count(SPLIT) + tokens.count(ADD) - tokens.count(END) - joined
