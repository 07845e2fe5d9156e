"""The sentence about a setting that is wrong: its key, what is there, and what is possible.

What is possible is read from the JSON schema that pydantic makes of a block of settings
(https://json-schema.org).
"""

import difflib
import math
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

Schema = Mapping[str, object]
LONGEST = 60  # letters of a value that is shown
MOST_NAMES = 12  # keys that are listed
MOST_ITEMS = 8  # of a list that is shown
MOST_BITS = 128  # of a whole number that is written out


def sentence(error: ValidationError, schema: Schema, content: object, block: str = "") -> str:
    """What is wrong with the `content` of a block of settings, of which `schema` is; the key begins
    with the name of the block.

    Unknown keys come first: what they should have been called is missing too.
    """
    wrong = error.errors(include_url=False)
    first = min(wrong, key=lambda one: one["type"] != "extra_forbidden")
    # A value that may be of several kinds is wrong once for each.
    places = {
        tuple(_place(one["loc"], schema)[0]) for one in wrong if _place(one["loc"], schema)[0]
    }
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    return _sentence(first, schema, content, block) + more


def expected(schema: Schema, whole: Schema | None = None) -> str:
    """What a schema allows, in words; `whole` is that which has its definitions."""
    whole = whole or schema
    schema = _resolved(schema, whole)
    if "description" in schema and schema.get("type") == "string":
        return schema["description"]
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return _either(map(str, choices))
    if options := schema.get("anyOf"):
        return _either(expected(option, whole) for option in options)
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    if kind == "array":
        return f"a list{_length(schema)}, each {expected(schema.get('items', {}), whole)}"
    if kind == "object":
        if names := schema.get("properties"):
            return f"a block with the keys {listed(names)}"
        if not schema.get("minProperties") and "maxProperties" not in schema:
            return "a block of keys"
        return f"a block of {schema.get('minProperties', 0)} to {schema['maxProperties']} keys"
    if kind == "string":
        if "maxLength" not in schema:
            return "a text"
        return f"a text of {schema.get('minLength', 0)} to {schema['maxLength']} letters"
    return {"boolean": "true or false", "null": "null"}.get(kind, "a value")


def shown(value: object) -> str:
    """A value as it would stand in YAML, cut short."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return "a number of too many digits"
    if isinstance(value, Mapping):
        return "a block" if value else "an empty block"
    if isinstance(value, (list, tuple)):
        items = ", ".join(map(shown, value[:MOST_ITEMS]))
        return f"[{items}]" if len(value) <= MOST_ITEMS else f"a list of {len(value)}"
    written = repr(value)
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 3]}..."


def unknown_key(name: str, names: Sequence[str]) -> str:
    """That there is no key of this name, and which of those that there are is meant."""
    nearest = difflib.get_close_matches(name[:LONGEST], names, 1)
    meant = f"did you mean {nearest[0]}?" if nearest else f"expected {listed(names)}"
    return f"no such key; {meant}"


def listed(names: Sequence[str]) -> str:
    """Names one after the other, as far as they are not too many."""
    names = [*names]
    more = ["..."] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


def _sentence(wrong: Mapping, schema: Schema, content: object, block: str) -> str:
    path, there = _place(wrong["loc"], schema)
    key = ".".join(filter(None, [block, *map(_name, path)]))
    if wrong["type"] == "extra_forbidden":
        last = wrong["loc"][-1]
        return f"{'.'.join(filter(None, [key, _name(last)]))}: " + unknown_key(
            str(last), [*there["properties"]]
        )
    if wrong["type"] == "value_error":
        reason = str(wrong["ctx"]["error"])
        if not reason.startswith("expected"):
            return f"{key}.{reason}" if key else reason
        possible = reason
    else:
        possible = f"expected {expected(there, schema)}"
    if wrong["type"] == "missing":
        return f"{key} is missing: {possible}"
    value = content
    for name in path:
        value = value[name] if isinstance(value, (Mapping, list, tuple)) else wrong["input"]
    return f"{key or 'the whole file'} is {shown(value)}: {possible}"


def _place(location: Sequence[str | int], schema: Schema) -> tuple[list[str | int], Schema]:
    """The keys and places of a wrong value, and the schema of what should be there. Behind those a
    location has what pydantic calls a kind of value that it tried.
    """
    path, here = [], _resolved(schema, schema)
    for name in location:
        inner = None
        for option in here.get("anyOf", [here]):
            option = _resolved(option, schema)
            if isinstance(name, int):
                inner = inner or option.get("items")
            else:
                others = option.get("additionalProperties") or None
                inner = inner or option.get("properties", {}).get(name, others)
        if not isinstance(inner, Mapping):
            break
        path, here = [*path, name], _resolved(inner, schema)
    return path, here


def _resolved(schema: Schema, whole: Schema) -> Schema:
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _range(schema: Schema) -> str:
    bounds = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "and up to" if "exclusiveMinimum" in schema else "to",
        "exclusiveMaximum": "to below",
    }
    return "".join(
        f" {word} {schema[name]:.12g}" for name, word in bounds.items() if name in schema
    )


def _length(schema: Schema) -> str:
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    return f" of {fewest} or more" if most == math.inf else f" of {fewest} to {most}"


def _either(choices: Sequence[str]) -> str:
    *first, last = dict.fromkeys(choices)
    return f"{', '.join(first)} or {last}" if first else last


def _name(part: str | int) -> str:
    """A key within a sentence of one line."""
    plain = str(part)
    return plain if plain.isprintable() and len(plain) <= LONGEST else repr(plain[:LONGEST])
