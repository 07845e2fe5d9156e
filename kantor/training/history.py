"""How a training went, epoch by epoch: training.csv."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from kantor.system import atomic
from kantor.system.intermediate import check_numbers, read_table, reading

COLUMNS = (
    "member",
    "epoch",
    "loss",
    "accuracy",
    "valid_loss",
    "valid_accuracy",
    "learning_rate",
)
HIGHEST = 1e6  # what no column reaches


def write(path: Path, rows: Iterable[Mapping[str, float]]) -> None:
    """Write training.csv, a row for each epoch of each member."""
    with atomic.output(path) as fresh:
        pd.DataFrame(rows).to_csv(fresh, index=False, float_format="%.6g")


def read(path: Path, stage: str) -> pd.DataFrame:
    """Read training.csv, which this stage writes; the epochs of each member count from 1."""
    table = read_table(path, stage, COLUMNS)
    with reading(path, stage):
        check_numbers(table, path, 0, HIGHEST)
        for member, rows in table.groupby("member"):
            if rows["epoch"].tolist() != list(range(1, len(rows) + 1)):
                raise ValueError(f"the epochs of member {member:g} don't count from 1")
    return table
