"""What may stand wrongly in place of a setting, made from the JSON schema of settings."""

import math
from collections.abc import Iterator, Mapping

HUGE, DIGITS = 10**30, 10**5000
Schema = Mapping[str, object]
WRONG_KINDS = {
    "integer": ("7", 1.5, True, [1], {"a": 1}),
    "number": ("7", "x", True, [0.5], {"a": 0.5}),
    "boolean": (0, 1, "true", "yes", [True], 0.0),
    "string": (3, 0.5, True, ["a"], {"a": "b"}),
    "array": (3, "a", {"a": 1}, True),
    "object": (3, "a", ["a"], True),
}


def resolved(schema: Schema, whole: Schema) -> Schema:
    """The schema itself where it is a reference into the definitions of the whole one."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def keys(
    schema: Schema, content: object, whole: Schema, path: tuple = ()
) -> Iterator[tuple[tuple, Schema, bool]]:
    """Each key of the content, and the first item of each list: its path, its schema, and whether
    it must be there.
    """
    schema = resolved(schema, whole)
    for option in schema.get("anyOf", ()):
        if matches(resolved(option, whole), content):
            schema = resolved(option, whole)
    if isinstance(content, dict):
        for name, value in content.items():
            inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(inner, Mapping):
                required = name in schema.get("required", ())
                yield (*path, name), inner, required
                yield from keys(inner, value, whole, (*path, name))
    elif isinstance(content, list) and content:
        yield (*path, 0), schema["items"], False
        yield from keys(schema["items"], content[0], whole, (*path, 0))


def matches(schema: Schema, content: object) -> bool:
    """Whether content is of the kind that a schema has."""
    kinds = {"array": list, "object": dict, "null": type(None)}
    return isinstance(content, kinds.get(schema.get("type"), ()))


def values(schema: Schema, whole: Schema) -> Iterator[tuple[str, object]]:
    """What is wrong with a value, and a value that is so, for all that a schema refuses."""
    schema = resolved(schema, whole)
    options = [resolved(option, whole) for option in schema.get("anyOf", [schema])]
    kinds = {option.get("type") for option in options}
    if "null" not in kinds:
        yield "null", None
    (option,) = [option for option in options if option.get("type") != "null"]
    kind = option["type"]
    for number, wrong in enumerate(WRONG_KINDS[kind]):
        yield f"another kind {number}", wrong
    if kind in ("integer", "number"):
        yield "not a number", math.nan
        yield "infinite", math.inf
        yield "minus infinite", -math.inf
    if kind in ("integer", "number") and "enum" not in option:
        low = option.get("minimum", option.get("exclusiveMinimum"))
        high = option.get("maximum", option.get("exclusiveMaximum"))
        yield "below", low - 1 if "minimum" in option else low
        yield "above", high + 1 if "maximum" in option else high
        yield "far below", -HUGE
        yield "huge", HUGE
        yield "5,000 digits", DIGITS
    if kind == "string":
        yield "too long", 2000 * "x"
        if "enum" in option or "pattern" in option:
            yield "another word", "something else"
    if kind == "array":
        yield "too many", [1] * 10_000
        if option.get("minItems"):
            yield "none", []
    if kind == "object" and option.get("minProperties"):
        yield "none", {}
