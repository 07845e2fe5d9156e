"""Files that one stage writes and others read: what is wrong with one is one sentence, with the
stage to run again.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kantor.system.errors import KantorError

if TYPE_CHECKING:
    import pandas as pd


def again(stage: str) -> str:
    """What to do about a damaged file."""
    return f"run `dvc repro -sf {stage}`"


@contextmanager
def reading(path: Path, stage: str) -> Iterator[None]:
    """Turn whatever goes wrong with a file into a KantorError that names it, and the stage that
    writes it.
    """
    try:
        yield
    except FileNotFoundError:
        raise KantorError(f"{path}: no such file; run `dvc repro {stage}`") from None
    except KantorError as error:
        raise KantorError(f"{error}; {again(stage)}") from error
    except Exception as error:  # a damaged file can raise nearly anything
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise KantorError(
            f"{path}: damaged ({reason:.150}); expected what the stage {stage} writes; "
            f"{again(stage)}"
        ) from error


def read_json(path: Path, stage: str) -> dict:
    """The object in a JSON file of a stage."""
    with reading(path, stage):
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise KantorError(f"{path}: {content!r:.40} is there; expected an object in braces")
        return content


def read_table(path: Path, stage: str, columns: Collection[str]) -> "pd.DataFrame":
    """The table in a CSV file of a stage, which must have these columns and a row or more."""
    import pandas as pd  # slow to load, and chorales are read without it

    with reading(path, stage):
        table = pd.read_csv(path)
        if missing := [name for name in columns if name not in table]:
            raise KantorError(f"{path}: no column {missing[0]}; expected {', '.join(columns)}")
        if table.empty:
            raise KantorError(f"{path}: no rows; expected at least one")
        return table


def check_numbers(table: "pd.DataFrame", path: Path, least: float, most: float) -> None:
    """Raise KantorError unless every cell is a number from `least` to `most`."""
    import pandas as pd

    numbers = table.apply(pd.to_numeric, errors="coerce")
    wrong = ~((numbers >= least) & (numbers <= most))
    if wrong.to_numpy().any():
        row, column = next(zip(*wrong.to_numpy().nonzero(), strict=True))
        raise KantorError(
            f"{path}, line {row + 2}, {table.columns[column]}: {table.iat[row, column]!s:.40} is "
            f"there; expected a number from {least:g} to {most:g}"
        )
