"""What a search is: study/search.yaml, typed and checked, and how a trial draws from it."""

import json
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated

import optuna
from pydantic import Field

from kantor import params
from kantor.network import registry
from kantor.system.errors import KantorError

NAME = "up to 100 letters, digits, underscores and hyphens"
Value = int | float | str | bool | list[int]


class Values(params.Block):
    """What a setting may be: from `low` to `high`, with `log` evenly by ratio, or a choice."""

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    choices: Annotated[list[Value], Field(min_length=2, max_length=100)] | None = None

    def draw(self, trial: optuna.Trial, key: str) -> Value:
        """A value for a key; ValueError if `low` isn't below `high`, and with `log` above 0."""
        if self.choices:
            return json.loads(trial.suggest_categorical(key, [json.dumps(c) for c in self.choices]))
        suggest = trial.suggest_int if isinstance(self.low, int) else trial.suggest_float
        return suggest(key, self.low, self.high, log=self.log)


class Pruning(params.Block):
    startup_trials: params.Count
    warmup_epochs: Annotated[int, Field(ge=0, le=10_000)]


class Search(params.Block):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$", description=NAME)]
    trials: params.Count
    seed: params.Seed
    changes: Annotated[dict[str, Value], Field(max_length=100)]
    space: Annotated[dict[str, Values], Field(min_length=1, max_length=100)]
    pruning: Pruning

    def draw(self, trial: optuna.Trial) -> dict[str, Value]:
        """The trial's settings: what it changes in params.yaml, by key."""
        return self.changes | {key: values.draw(trial, key) for key, values in self.space.items()}

    def present(self, settings: dict) -> dict[str, Value]:
        """What the content of a params.yaml has in the space, by key, as Optuna has it."""
        present = {}
        for key, values in self.space.items():
            value, choices = reduce(getitem, key.split("."), settings), values.choices
            if value in choices if choices else values.low <= value <= values.high:
                present[key] = json.dumps(value) if choices else value
        return present


def load(path: Path, defaults: Path) -> Search:
    """Read and check a search around the params.yaml `defaults`; KantorError names a wrong key."""
    search, key = params.read(path, Search), "changes"
    try:
        settings = _settings(defaults, search.changes)
        for key, values in search.space.items():
            if not key.startswith(("model.", "train.")) or key in search.changes:
                raise KantorError("expected a key under model or train, not one of `changes`")
            for value in values.choices or (values.low, values.high):
                _settings(defaults, search.changes | {key: value})
            if isinstance(values.low, int) and isinstance(
                reduce(getitem, key.split("."), settings), float
            ):
                raise KantorError(f"only whole numbers would be drawn; write {values.low}.0")
            values.draw(optuna.create_study().ask(), key)
    except (KantorError, ValueError) as error:
        raise KantorError(f"{path}: {key}: {error}") from None
    return search


def _settings(defaults: Path, changes: dict[str, Value]) -> dict:
    settings = params.load(defaults, changes)
    registry.configured(settings.model, str(defaults))
    return settings.model_dump()
