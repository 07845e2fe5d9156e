"""What a search is: study/search.yaml, typed and checked, and how a trial draws from it."""

import json
from pathlib import Path
from typing import Annotated

import optuna
from pydantic import Discriminator, Field, Tag, model_validator

from kantor import params
from kantor.system.errors import KantorError

Value = int | float | str | bool | list[int]


class Range(params.Block):
    """Numbers from `low` to `high`, whole ones if both are; with `log`, evenly by ratio."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ascends(self) -> "Range":
        if not (0 if self.log else float("-inf")) < self.low < self.high:
            raise ValueError("low must be below high, and with log above 0")
        return self

    @property
    def whole(self) -> bool:
        """Whether it has whole numbers alone."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> list[Value]:
        """Values of which all between are possible if these are."""
        return [self.low, self.high]

    def draw(self, trial: optuna.Trial, key: str) -> Value:
        suggest = trial.suggest_int if self.whole else trial.suggest_float
        return suggest(key, self.low, self.high, log=self.log)

    def label(self, value: Value) -> Value | None:
        """What Optuna knows the value by, if it is among these."""
        return value if self.low <= value <= self.high else None


class Choice(params.Block):
    """One of these values, of any kind that params.yaml knows."""

    choices: Annotated[list[Value], Field(min_length=2)]

    @property
    def ends(self) -> list[Value]:
        """All of them."""
        return self.choices

    def draw(self, trial: optuna.Trial, key: str) -> Value:
        return json.loads(trial.suggest_categorical(key, [json.dumps(c) for c in self.choices]))

    def label(self, value: Value) -> str | None:
        """What Optuna knows the value by, if it is among these."""
        return next((json.dumps(choice) for choice in self.choices if choice == value), None)


def _kind(given: object) -> str:
    """Which of the two an entry is, as YAML has it or as it was read."""
    listed = isinstance(given, dict) and "choices" in given
    return "choice" if listed or isinstance(given, Choice) else "range"


Drawn = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choice, Tag("choice")],
    Discriminator(_kind),
]


class Pruning(params.Block):
    startup_trials: params.Count
    warmup_epochs: Annotated[int, Field(ge=0)]


class Search(params.Block):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
    trials: params.Count
    seed: params.Seed
    changes: dict[str, Value]
    space: Annotated[dict[str, Drawn], Field(min_length=1)]
    pruning: Pruning

    def draw(self, trial: optuna.Trial) -> dict[str, Value]:
        """The trial's settings: what it changes in params.yaml, by key."""
        return self.changes | {key: of.draw(trial, key) for key, of in self.space.items()}

    def present(self, settings: params.Params) -> dict[str, Value]:
        """What params.yaml has for the keys of the space, as Optuna knows it; those outside
        the space are left out.
        """
        content = settings.model_dump()
        labels = {key: of.label(_at(content, key)) for key, of in self.space.items()}
        return {key: label for key, label in labels.items() if label is not None}


def load(path: Path, project: Path) -> Search:
    """Read and check a search; KantorError names the key that is wrong.

    Every end of a range and every choice must be possible in the params.yaml of `project`, and a
    range of whole numbers is for keys that are.
    """
    search = params.read(path, Search)
    try:
        settings = params.load(project / "params.yaml", search.changes).model_dump()
    except KantorError as error:
        raise KantorError(f"{path}: changes: {error}") from None
    for key, of in search.space.items():
        if not key.startswith(("model.", "train.")) or key in search.changes:
            raise KantorError(
                f"{path}: space.{key}: expected a key under model or train in params.yaml that "
                "`changes` has not set already"
            )
        for value in of.ends:
            try:
                params.load(project / "params.yaml", search.changes | {key: value})
            except KantorError as error:
                raise KantorError(f"{path}: space.{key}: {error}") from None
        if isinstance(of, Range) and of.whole and isinstance(_at(settings, key), float):
            raise KantorError(
                f"{path}: space.{key}: low is {of.low} and high {of.high}, of which only whole "
                f"numbers would be drawn; write {of.low}.0 and {of.high}.0"
            )
    return search


def nested(changes: dict[str, Value]) -> dict:
    """Changed keys, such as `train.epochs`, as the blocks of a params.yaml."""
    blocks: dict = {}
    for key, value in changes.items():
        *outer, last = key.split(".")
        place = blocks
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return blocks


def _at(content: dict, key: str) -> Value:
    for part in key.split("."):
        content = content[part]
    return content
