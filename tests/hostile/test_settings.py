"""Settings that are wrong: each is one sentence, soon, and nothing is written."""

import copy
import functools

import pytest

from helpers import attacks, committed, hostile
from kantor import params
from kantor.network import registry
from kantor.system import core_yaml

TEXT = committed.settings()
CONTENT = core_yaml.parse(TEXT, "params.yaml")
SCHEMA = params.Params.model_json_schema()
ARCHITECTURES = {
    name: architecture.settings.model_json_schema()
    for name, architecture in registry.ARCHITECTURES.items()
}


def load(path):
    settings = params.load(path)
    registry.configured(settings.model, str(path))


def everywhere():
    """Every key of params.yaml: path, schema, what has its definitions, whether it must be there.

    What reproduce.quick has is settings again, checked where they are set.
    """
    for path, schema, required in attacks.keys(SCHEMA, CONTENT, SCHEMA):
        if path[:2] != ("reproduce", "quick") or len(path) == 2:
            yield path, schema, SCHEMA, required
    for name, schema in ARCHITECTURES.items():
        for path, inner, required in attacks.keys(schema, CONTENT["model"][name], schema):
            yield ("model", name, *path), inner, schema, required


KEYS = list(everywhere())
VALUES = [
    pytest.param(path, value, id=f"{'.'.join(map(str, path))}: {what}")
    for path, schema, whole, _ in KEYS
    for what, value in attacks.values(schema, whole)
]
MISSING = [
    pytest.param(path, id=".".join(map(str, path))) for path, *_, required in KEYS if required
]
BLOCKS = [
    pytest.param(path, id=".".join(path))
    for path, schema, whole, _ in KEYS
    if "properties" in attacks.resolved(schema, whole)
]


def changed(path, value):
    """The settings with another value."""
    content = copy.deepcopy(CONTENT)
    inner(content, path[:-1])[path[-1]] = value
    return content


def inner(content, path):
    return functools.reduce(lambda block, name: block[name], path, content)


def test_every_key_of_the_file_is_attacked():
    assert {path for path, *_ in KEYS} >= set(paths(CONTENT))
    assert len(VALUES) > 900


def paths(content, path=()):
    """The path of every key, but those in reproduce.quick."""
    for name, value in content.items():
        yield (*path, name)
        if isinstance(value, dict) and name != "quick":
            yield from paths(value, (*path, name))


@pytest.mark.parametrize(("path", "value"), VALUES)
def test_a_wrong_value_is_named_with_its_key_and_what_is_possible(path, value):
    sentence = hostile.refusal(lambda: hostile.check(changed(path, value)))
    assert sentence.startswith(f"params.yaml: {'.'.join(map(str, path))}")
    assert ": expected " in sentence


@pytest.mark.parametrize("path", MISSING)
def test_a_missing_key_is_named_with_what_is_possible(path):
    content = copy.deepcopy(CONTENT)
    del inner(content, path[:-1])[path[-1]]
    sentence = hostile.refusal(lambda: hostile.check(content))
    assert sentence.startswith(f"params.yaml: {'.'.join(path)} is missing: expected ")


@pytest.mark.parametrize("path", BLOCKS)
def test_an_unknown_key_is_named_with_the_nearest_one(path):
    for key in inner(CONTENT, path):
        misspelt = f"{key}x"
        sentence = hostile.refusal(lambda: hostile.check(changed((*path, misspelt), 1)))  # noqa: B023
        if path != ("model",):
            assert sentence == (
                f"params.yaml: {'.'.join((*path, misspelt))}: no such key; did you mean {key}?"
            )


@pytest.mark.parametrize(
    "schema", [SCHEMA, *ARCHITECTURES.values()], ids=["params", *ARCHITECTURES]
)
def test_every_number_has_bounds_and_every_list_and_text_a_longest_one(schema):
    schema = copy.deepcopy(schema)
    schema.get("$defs", {}).get("Reproduce", {"properties": {"quick": None}})["properties"].pop(
        "quick"
    )
    open_ = [
        one
        for one in all_of(schema)
        if not one.get("enum") and not one.get("const") and not one.get("pattern")
        if not LIMITS.get(one.get("type"), set())
        <= {name.replace("exclusiveM", "m") for name in one}
    ]
    assert not open_


LIMITS = {
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "array": {"maxItems"},
    "string": {"maxLength"},
}


def all_of(schema):
    """A schema and all within it."""
    if isinstance(schema, dict):
        yield schema
        for one in schema.values():
            yield from all_of(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from all_of(one)


# As DVC writes them, and people.
NUMBERS = {
    "evaluate.bigram_smoothing": {"3e-05": 3e-05, "1e-3": 0.001, ".5": 0.5, "5.": 5.0, "+1": 1},
    "compose.prompt.chorale": {"052": 52, "0o52": 42, "0x1F": 31, "+7": 7, "-0": 0},
    "preprocess.train_on_test": {"true": True, "False": False, "TRUE": True},
    "compose.tune": {"yes": "yes", "off": "off", "1:30": "1:30", "2026-01-02": "2026-01-02"},
}


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [(key, written, value) for key, forms in NUMBERS.items() for written, value in forms.items()],
)
def test_values_are_read_by_the_rules_that_dvc_writes_by(tmp_path, key, written, value):
    path = tmp_path / "params.yaml"
    text = core_yaml.dump(params.change(core_yaml.parse(TEXT, ""), {key: "PLACE"}))
    path.write_text(text.replace("PLACE", written))
    *_, last = key.split(".")
    block = inner(params.load(path).model_dump(), key.split(".")[:-1])
    assert block[last] == value and type(block[last]) in (type(value), float)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = {
    "a repeated key": (b"seed: 1\nseed: 2\n", "line 2: the key seed is there twice; remove one"),
    "another within a block": (b"a:\n  b: 1\n  b: 1\n", "line 3: the key b is there twice"),
    "a bomb": (BOMB.encode(), "line 2: the alias *a; write out what it stands for"),
    "a loop": (b"a: &a\n  b: *a\n", "line 2: the alias *a"),
    "an alias as a key": (b"a: &a x\n*a : 1\n", "line 2: a key that is no plain word"),
    "deep lists": (b"a: " + 5000 * b"[", "line 1: more than 16 blocks or lists within each other"),
    "deep blocks": (5000 * b"{a: ", "line 1: more than 16 blocks"),
    "deep dashes": (5000 * b"- ", "line 1: more than 16 blocks"),
    "deep lines": (b"".join(n * b" " + b"a:\n" for n in range(400)), "line 17: more than 16"),
    "5,000 digits": (b"seed: " + 5000 * b"9", "line 1: a number of 5000 digits"),
    "5,000 places": (b"seed: 0." + 5000 * b"9", "line 1: a number of 5002 digits"),
    "a list as a key": (b"seed: 1\n? [1, 2]\n: 3\n", "line 2: a key that is no plain word"),
    "a block as a key": (b"{{a: 1}: 2}", "line 1: a key that is no plain word"),
    "a tab": (b"train:\n\tepochs: 3\n", "line 2: not YAML: a tab is there; indent with spaces"),
    "NUL": (b"seed: 1\n\0", "line 2: not YAML: the character U+0000 is there; remove it"),
    "a line end of old": ("a: x\x85y".encode(), "line 1: not YAML: the character U+0085 is there"),
    "Latin-1": ("tune: Präludium".encode("latin-1"), "line 1: not YAML: not UTF-8; save it in"),
    "UTF-16": ("seed: 1".encode("utf-16"), "line 1: not YAML: not UTF-8"),
    "random bytes": (bytes(range(128, 256)), "line 1: not YAML: not UTF-8"),
    "empty": (b"", "no keys in it; `git checkout"),
    "comments alone": (b"# seed: 42\n", "no keys in it; `git checkout"),
    "null": (b"~\n", "no keys in it"),
    "an empty block": (b"{}", "no keys in it"),
    "a list": (b"- seed: 1\n", "no keys in it"),
    "a word": (b"seed\n", "no keys in it"),
    "a number": (b"42\n", "no keys in it"),
    "an open bracket": (b"seed: [1", "line 1: not YAML: "),
    "an open quote": (b"seed: 'a\n", "line 2: not YAML: "),
    "two colons": (b"seed: a: b\n", "line 1: not YAML: "),
    "a percent sign": (b"seed: %a\n", "line 1: not YAML: "),
    "bad indentation": (b"a:\n    b: 1\n  c: 2\n", "line 3: not YAML: "),
    "code": (b"seed: !!python/object/apply:os.system [ls]\n", "line 1: the tag tag:yaml.org,2002"),
    "a tag": (b"seed: !!int '3'\n", "line 1: the tag tag:yaml.org,2002:int; write plain values"),
    "a tag of its own": (b"seed: !mine 3\n", "line 1: the tag !mine"),
    "a tagged key": (b"!!str seed: 3\n", "line 1: a key that is no plain word"),
    "two documents": (b"seed: 1\n---\nseed: 2\n", "line 2: a second document; expected one"),
    "a merge": (b"<<: {seed: 1}\n", "<<: no such key"),
    "another version": (b"%YAML 3.0\n---\nseed: 1\n", "line 1: not YAML: "),
    "too long": (b"# " + 200_000 * b"x", "too long; expected 100000 bytes at most"),
    "many lines": (40_000 * b"- 1\n" + b"x", "too long"),
    "a key of a thousand letters": (1000 * b"x" + b": 1\n", ": no such key; expected seed, "),
    "a number as a key": (b"1: 2\n", "1: no such key; expected seed, "),
    "a key of several lines": (b'"a\\nb": 1\n', "'a\\nb': no such key"),
    "a git conflict": (b"<<<<<<< HEAD\nseed: 1\n=======\n", "line "),
}


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_a_file_that_is_none_of_settings_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    sentence = hostile.refusal(lambda: load(path), tmp_path)
    assert sentence.startswith(str(path)) and words in sentence


CONTRADICTIONS = [
    (
        {"train.epochs": 2, "train.schedule.warmup_epochs": 2},
        "train.schedule.warmup_epochs is 2: expected fewer than train.epochs, which is 2",
    ),
    (
        {"train.batch_size": 9, "train.replicas": 2},
        "train.batch_size is 9: expected a multiple of train.replicas, which is 2",
    ),
    (
        {"compose.showcase.pieces": 33},
        "compose.showcase.pieces is 33: expected no more than compose.showcase.candidates, which",
    ),
    ({"compose.samples": {"prompt": CONTENT["compose"]["samples"]["cold"]}}, "'prompt' can't name"),
    ({"compose.samples": {"../a": CONTENT["compose"]["samples"]["cold"]}}, "'../a' can't name"),
    ({"compose.samples": {300 * "a": CONTENT["compose"]["samples"]["cold"]}}, "aaa can't name"),
    ({"compose.showcase.wish.key": "H minor"}, "compose.showcase.wish.key is 'H minor': expected"),
    ({"compose.showcase.wish.metre": "4/5"}, "compose.showcase.wish.metre is '4/5': expected 1 to"),
    ({"model.architecture": "transformer"}, "model.architecture is 'transformer': expected one"),
    ({"model.row_gruu": {}}, "model.row_gruu: no such key; did you mean row_gru?"),
    ({"model.wavenet_lstm.filters": [1] * 40}, "model.wavenet_lstm.filters is a list of 40: exp"),
    ({"train.learnig_rate": 0.1}, "train.learnig_rate: no such key; did you mean learning_rate?"),
    (
        {"train.crops": {"rows": 3}},
        "train.crops.transpose is missing: expected true or false (and ",
    ),
]


@pytest.mark.parametrize(("changes", "words"), CONTRADICTIONS)
def test_what_contradicts_itself_is_named_by_its_full_key(settings_file, changes, words):
    def call():
        registry.configured(params.load(settings_file, changes).model)

    assert words in hostile.refusal(call, settings_file.parent)


def test_a_wrong_key_of_a_tiny_setting_is_told_before_anything_is_built(tmp_path):
    from kantor.commands import reproduce

    path = tmp_path / "params.yaml"
    path.write_text(TEXT.replace("train.epochs: 3", "train.epochs: 0"))
    sentence = hostile.refusal(lambda: reproduce.shrink(path), tmp_path)
    assert "train.epochs is 0: expected" in sentence and "reproduce.quick" in sentence
