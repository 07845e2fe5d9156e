"""Hostile input: how a refusal must look, and what must be as it was after it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from kantor import params
from kantor.network import registry
from kantor.system.errors import KantorError

LONGEST = 500  # letters of a sentence
# What users must not have to read: words of libraries, and Python's own.
FOREIGN = (
    "Extra inputs",
    "Field required",
    "Input should",
    "Value error",
    "after validation",
    "valid number",
    "pydantic",
    "Traceback",
    "<class",
    "object at 0x",
)


def refusal(call: Callable[[], object], folder: Path | None = None) -> str:
    """The sentence with which `call` refuses; nothing in the folder may change by it."""
    before = files(folder) if folder else {}
    with pytest.raises(KantorError) as caught:
        call()
    sentence = str(caught.value)
    assert sentence.isprintable(), "it is one line"
    assert len(sentence) <= LONGEST
    assert not [words for words in FOREIGN if words in sentence], sentence
    assert (files(folder) if folder else {}) == before
    return sentence


def files(folder: Path) -> dict[str, str]:
    """A digest of each file below a folder, by its path; "" of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else ""
        for path in sorted(folder.rglob("*"))
    }


def check(content: object) -> None:
    """All checks that settings get before anything is done with them."""
    registry.configured(params.checked(params.Params, content, "params.yaml").model)
