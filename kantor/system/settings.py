"""Settings: blocks of a YAML file, typed and checked."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from kantor.system import core_yaml, refusal
from kantor.system.errors import KantorError


class Block(BaseModel):
    """A block of settings: every key is there and no other, numbers are finite.

    Every number and list has bounds, so that no typing error asks for more than any machine has.
    A validator of a field raises ValueError with what is `expected ...`; one of a whole block
    begins with the key within it: `pieces is 3: expected ...`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Settings = TypeVar("Settings", bound=Block)


def read(path: Path, kind: type[Settings], changes: Mapping[str, object] | None = None) -> Settings:
    """Read and check a YAML file of any kind of settings, some keys, such as `train.epochs`,
    changed.

    KantorError names the key that is wrong.
    """
    return checked(kind, change(content(path), changes or {}), str(path))


def content(path: Path) -> dict[str, object]:
    """The content of a YAML file of settings, before any check but that it has keys."""
    try:
        there = core_yaml.read(path)
    except FileNotFoundError:
        raise KantorError(f"{path}: no such file; run from the project's folder") from None
    if not isinstance(there, dict) or not there:
        raise KantorError(f"{path}: no keys in it; `git checkout {path}` brings them back")
    return there


def checked(kind: type[Settings], content: object, where: str, block: str = "") -> Settings:
    """Content as settings of a kind; KantorError says `where` the wrong key is, below `block`."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        sentence = refusal.sentence(error, _schema(kind), content, block)
        raise KantorError(f"{where}: {sentence}") from None


@cache
def _schema(kind: type[Settings]) -> dict[str, object]:
    return kind.model_json_schema()


def change(content: dict[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    """Set keys, such as `train.epochs`, in the content of a params.yaml, which is returned."""
    for key, value in changes.items():
        *blocks, last = key.split(".")
        place = content
        for block in blocks:
            if not isinstance(place.get(block), dict):
                raise KantorError(f"{key}: no such key: params.yaml has no block {block} there")
            place = place[block]
        place[last] = value
    return content
