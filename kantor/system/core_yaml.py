"""YAML by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), by which DVC
writes params.yaml.

PyYAML by itself follows YAML 1.1, in which `3e-05` is a text, `052` is 42, `no` is false and `1:30`
is 90. Here its parser only says what stands where, and this module says what that means. What no
settings need is refused: keys that are there twice, aliases, tags, and what is very deep or long.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from kantor.system.errors import KantorError

LONGEST = 100_000  # bytes of a file; params.yaml has a tenth
DEEPEST = 16  # blocks and lists within each other; params.yaml has 4
MOST_DIGITS = 100  # of a number

NULL = re.compile(r"null|Null|NULL|~|")
TRUE, FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL, HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"([-+]?)(\.inf|\.Inf|\.INF)")
NOT_A_NUMBER = re.compile(r"\.nan|\.NaN|\.NAN")
# They end a line by YAML 1.1 and PyYAML's parser, by YAML 1.2 they don't.
LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def read(path: Path) -> object:
    """What a YAML file says, of dict, list, str, int, float, bool and None; None if it is empty.

    KantorError says in which line it can't be read.
    """
    with path.open("rb") as file:
        content = file.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise KantorError(f"{path}: too long; expected {LONGEST} bytes at most")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise KantorError(
            f"{path}, line {line}: not YAML: not UTF-8; save it in that encoding"
        ) from None
    return parse(text, str(path))


def parse(text: str, where: str) -> object:
    """The same of a text; `where` it is from is for the errors."""
    if character := LINE_ENDS.search(text):
        raise _character(where, text, character.start())
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        content = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                content = _value(next(events), events, 0)
            elif isinstance(event, yaml.DocumentEndEvent):
                break
        _end(events)
    except _RefusedError as error:
        raise KantorError(f"{where}, line {error.line}: {error}") from None
    except yaml.reader.ReaderError as error:
        raise _character(where, text, error.position) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = re.sub(r"\s+", " ", error.problem or "it ends too early")
        if r"'\t'" in problem:
            problem = "a tab is there; indent with spaces"
        raise KantorError(f"{where}, line {mark.line + 1}: not YAML: {problem:.100}") from None
    return content


def dump(content: object, **style: object) -> str:
    """A text that `parse`, DVC and YAML 1.1 read as this content, in the order that it has."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, **style)


class _RefusedError(Exception):
    def __init__(self, event: yaml.Event, sentence: str) -> None:
        super().__init__(sentence)
        self.line = event.start_mark.line + 1


class _Dumper(yaml.SafeDumper):
    """Puts a text in quotes if by either YAML it would be read as something else."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, [*"-+.0123456789"])
_Dumper.add_implicit_resolver("tag:yaml.org,2002:int", OCTAL, ["0"])


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    """What begins with this event and goes on in those that follow."""
    if isinstance(event, yaml.AliasEvent):
        raise _RefusedError(event, f"the alias *{event.anchor:.40}; write out what it stands for")
    if event.tag is not None:
        raise _RefusedError(event, f"the tag {event.tag:.40}; write plain values alone")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if depth == DEEPEST:
        raise _RefusedError(event, f"more than {DEEPEST} blocks or lists within each other")
    if isinstance(event, yaml.SequenceStartEvent):
        content = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            content.append(_value(item, events, depth + 1))
        return content
    return _mapping(events, depth)


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
    """The block whose first key comes next. Keys are texts as they stand, whatever they look like:
    no setting is called by a number.
    """
    content = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
            raise _RefusedError(key, "a key that is no plain word; write `key: value`")
        if key.value in content:
            raise _RefusedError(key, f"the key {key.value:.40} is there twice; remove one")
        content[key.value] = _value(next(events), events, depth + 1)
    return content


def _scalar(event: yaml.ScalarEvent) -> str | int | float | bool | None:
    """A single value. What stands in quotes, or over several lines, is text."""
    text, plain = event.value, event.implicit[0]
    if not plain:
        return text
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return bool(TRUE.fullmatch(text))
    number = any(form.fullmatch(text) for form in (INTEGER, OCTAL, HEXADECIMAL, FLOAT))
    if number and len(text) > MOST_DIGITS:
        raise _RefusedError(event, f"a number of {len(text)} digits; expected a shorter one")
    if INTEGER.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if FLOAT.fullmatch(text):
        return float(text)
    if NOT_A_NUMBER.fullmatch(text):
        return math.nan
    if infinite := INFINITE.fullmatch(text):
        return -math.inf if infinite[1] == "-" else math.inf
    return text


def _end(events: Iterator[yaml.Event]) -> None:
    """Check that nothing comes behind the first document."""
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            raise _RefusedError(event, "a second document; expected one")


def _character(where: str, text: str, place: int) -> KantorError:
    line = text.count("\n", 0, place) + 1
    character = f"U+{ord(text[place]):04X}"
    return KantorError(
        f"{where}, line {line}: not YAML: the character {character} is there; remove it"
    )
