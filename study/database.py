"""The file in which a search on one machine keeps its trials, checked before it goes on."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from kantor.system.errors import KantorError
from study import trials

# What Optuna keeps as JSON, by table and column.
JSON = {
    "study_user_attributes": "value_json",
    "study_system_attributes": "value_json",
    "trial_user_attributes": "value_json",
    "trial_system_attributes": "value_json",
    "trial_params": "distribution_json",
}
LOSSES = ("trial_values", "trial_intermediate_values")
# What Optuna raises on values that it didn't write.
UNREADABLE = (
    SQLAlchemyError,
    optuna.exceptions.OptunaError,
    AssertionError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def url(path: Path) -> str:
    """The file as SQLAlchemy names it."""
    return f"sqlite:///{path}?timeout=60"


def check(path: Path) -> None:
    """Take back what a killed search left half-written, and say so on standard error.

    The file need not be there. Raises KantorError if it is damaged in another way.
    """
    if not path.exists():
        return
    journal = path.with_name(f"{path.name}-journal")
    half_written = journal.exists()
    try:
        _check_file(path)
        _check_trials(path)
    except (sqlite3.Error, *UNREADABLE) as error:
        reason = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
        raise KantorError(
            f"{path}: damaged: {reason:.200}; expected the trials of a search; move the file away "
            "to begin anew, or put a copy of it back"
        ) from None
    if half_written and not journal.exists():
        print(
            f"{path}: a search that was killed left a change half-written; it is taken back, and "
            "the search goes on",
            file=sys.stderr,
        )


def _check_file(path: Path) -> None:
    """Raise ValueError or sqlite3.Error if pages, references or JSON are damaged."""
    if not path.stat().st_size and any(path.parent.glob("*/params.yaml")):
        raise ValueError("it is empty, and trials were run")
    # Whoever opens the file rolls back what its journal has.
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        (state,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if state != "ok":
            raise ValueError(state)
        if reference := connection.execute("PRAGMA foreign_key_check").fetchone():
            table, row, parent, _ = reference
            raise ValueError(f"table {table}, row {row}: no such row in {parent}")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        missing = sorted({*JSON, *LOSSES} - tables)
        # A search that was killed as it began has some of them, and no trial.
        if missing and "trials" in tables and connection.execute("SELECT 1 FROM trials").fetchone():
            raise ValueError(f"table {missing[0]} is missing")
        for table in tables & set(JSON):
            for row, text in connection.execute(f"SELECT rowid, {JSON[table]} FROM {table}"):
                try:
                    json.loads(text)
                except (TypeError, ValueError):
                    place = f"table {table}, row {row}, column {JSON[table]}"
                    raise ValueError(f"{place}: {text!r:.40} is not JSON") from None


def _check_trials(path: Path) -> None:
    """Raise one of UNREADABLE if Optuna can't read the trials, or they contradict each other."""
    storage = RDBStorage(url(path))
    for name in optuna.get_all_study_names(storage):
        if name != path.parent.name:
            raise ValueError(f"table studies: the search is {name}, and not {path.parent.name}")
        study = optuna.load_study(study_name=name, storage=storage)
        if study.direction is not StudyDirection.MINIMIZE:
            raise ValueError("table study_directions: the loss is not minimised")
        attempts = study.get_trials(deepcopy=False)
        identity = study.user_attrs.get("identity")
        if attempts and not isinstance(identity, dict):
            raise ValueError(f"search {name} has trials, and nothing tells with which settings")
        for place, trial in enumerate(attempts):
            if trial.number != place:
                raise ValueError(f"table trials: trial {trial.number} stands in place {place}")
            if trial.state in trials.ENDED:
                _check_ended(trial, set(identity["search"]["space"]))


def _check_ended(trial: FrozenTrial, keys: set[str]) -> None:
    """Raise ValueError if a trial that has ended lacks a loss, or one of the keys drawn."""
    if set(trial.params) != keys:
        (key, *_) = sorted(set(trial.params) ^ keys)
        raise ValueError(
            f"table trial_params: trial {trial.number} has other keys than drawn: {key}"
        )
    losses = [*trial.intermediate_values.values()]
    if trial.state is TrialState.COMPLETE:
        losses.append(trial.value)
    if not all(isinstance(loss, float) for loss in losses):
        raise ValueError(f"tables {' and '.join(LOSSES)}: trial {trial.number} lacks a loss")
