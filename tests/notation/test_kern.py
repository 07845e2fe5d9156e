"""Lines of **kern have a token for each spine."""

from pathlib import Path

import pytest

from kantor.notation import kern
from kantor.system.errors import KantorError

PATH = Path("tune.krn")
TWO = "**kern\t**kern\n4c\t4e\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!OTL: A tune\n\n**kern\n4c\n*-\n",
        TWO + "!\t! one comment\n.\t4f\n*-\t*-\n",
        TWO + "*^\t*\n4c\t4d\t4e\n*v\t*v\t*\n4c\t4e\n*-\t*-\n",
        TWO + "*^\t*^\n4c\t4d\t4e\t4f\n*v\t*v\t*\t*\n4c\t4e\t4f\n",
        TWO + "*+\t*\n**kern\t*\t*\n4c\t4d\t4e\n*-\t*\t*\n4c\t4e\n",
        TWO + "*-\t*-\n**kern\n4c\n*-\n",
        TWO + "4c\t\t4e\n \n4c\t4e\t\n",
    ],
)
def test_spines_that_split_join_and_end_are_counted(text):
    kern.check(PATH, text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TWO + "4c\n", "line 3 has 1 tokens; expected 2,"),
        (TWO + "4c\t4d\t4e\n", "line 3 has 3 tokens; expected 2,"),
        (TWO + "*^\t*\n4c\t4d\n", "line 4 has 2 tokens; expected 3,"),
        (TWO + "4c 4e\n", "line 3 has 1 tokens"),
        (TWO + "4c\t\n", "line 3 has 1 tokens"),
    ],
)
def test_another_number_of_tokens_is_refused(text, line):
    with pytest.raises(KantorError) as told:
        kern.check(PATH, text)
    assert str(told.value).startswith(f"tune.krn: {line}")
