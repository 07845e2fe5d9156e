"""CSV files that are no chorales: one sentence, with the row and the voice."""

import numpy as np
import pytest

from helpers.bad_scores import sentence
from kantor.chorale import HEADER

ROW = "60,57,52,45\n"
CSV = {
    "five columns": (f"{HEADER}\n60,57,52,45,40\n", ", row 0 (line 2): 5 columns; expected four"),
    "three columns": (f"{HEADER}\n60,57,52\n", ", row 0 (line 2): 3 columns; expected four"),
    "a comma too many": (f"{HEADER}\n60,57,52,45,\n", ", row 0 (line 2): 5 columns"),
    "semicolons": (f"{HEADER}\n60;57;52;45\n", ", row 0 (line 2): 1 columns"),
    "a blank line": (f"{HEADER}\n{ROW}\n{ROW}", ", row 1 (line 3): 1 columns"),
    "a float": (f"{HEADER}\n60.0,57,52,45\n", ", row 0 (line 2), soprano: 60.0 is there"),
    "an exponent": (f"{HEADER}\n6e1,57,52,45\n", ", row 0 (line 2), soprano: 6e1 is there"),
    "hexadecimal": (f"{HEADER}\n0x3c,57,52,45\n", ", row 0 (line 2), soprano: 0x3c is there"),
    "no number": (f"{HEADER}\n60,nan,52,45\n", ", row 0 (line 2), alto: nan is there"),
    "infinite": (f"{HEADER}\n60,57,inf,45\n", ", row 0 (line 2), tenor: inf is there"),
    "negative": (f"{HEADER}\n60,57,52,-45\n", ", row 0 (line 2), bass: -45 is there"),
    "a plus": (f"{HEADER}\n+60,57,52,45\n", ", row 0 (line 2), soprano: +60 is there"),
    "an empty cell": (f"{HEADER}\n60,,52,45\n", ", row 0 (line 2), alto:  is there"),
    "too low": (f"{HEADER}\n60,57,52,35\n", ", row 0 (line 2), bass: 35 is there; expected"),
    "too high": (f"{HEADER}\n82,57,52,45\n", ", row 0 (line 2), soprano: 82 is there"),
    "huge": (f"{HEADER}\n{10**30},57,52,45\n", ", row 0 (line 2), soprano: 1000000000"),
    "of 9,999 digits": (f"{HEADER}\n{'9' * 9999},57,52,45\n", ", row 0 (line 2), soprano: 999"),
    "quoted": (f'{HEADER}\n"60","57","52","45"\n', ', row 0 (line 2), soprano: "60" is there'),
    "a quote left open": (f'{HEADER}\n"60,57,52,45\n', ', row 0 (line 2), soprano: "60 is'),
    "other digits": (f"{HEADER}\n٦٠,57,52,45\n", ", row 0 (line 2), soprano: ٦٠ is there"),
    "zero bytes": (f"{HEADER}\n60,57,52,\0\n", ", row 0 (line 2), bass: \0 is there"),
    "the header alone": (HEADER, ": no rows; expected at least one"),
    "no header": (ROW, ": the first line is '60,57,52,45'; expected 'note0"),
    "blank": ("\n", ": the first line is ''; expected 'note0"),
    "a long header": ("x" * 10**5, f": the first line is '{'x' * 60}'; expected"),
    "Latin-1": (f"{HEADER}\nÄ,57,52,45\n".encode("latin-1"), ": not a text file; expected CSV"),
    "UTF-16": (f"{HEADER}\n{ROW}".encode("utf-16"), ": not a text file; expected CSV"),
    "20,000 rows": (HEADER + "\n" + 20_000 * ROW, ": 20000 rows; expected 16384 at most"),
    "a million rows": (HEADER + "\n" + 10**6 * ROW, ": 11.4 MiB; expected CSV"),
}


@pytest.mark.parametrize("kind", CSV)
def test_a_csv_of_no_chorale_is_told(tmp_path, kind, read):
    content, words = CSV[kind]
    path = tmp_path / "piece.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sentence(read, path).startswith(words)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\n{ROW}",
        f"{HEADER}\n{ROW}".replace("\n", "\r\n"),
        f"{HEADER}\n{ROW}".strip(),
        f" {HEADER} \n 60, 57 ,52,45\n",
    ],
    ids=["a byte order mark", "carriage returns", "no line end", "spaces"],
)
@pytest.mark.parametrize("suffix", [".csv", ".CSV"])
def test_a_csv_is_read_as_other_programs_write_it(tmp_path, content, suffix, read):
    path = tmp_path / f"piece{suffix}"
    path.write_bytes(content.encode())
    assert np.ravel(read(path)[0])[0] == 60
