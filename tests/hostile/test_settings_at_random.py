"""Settings at random: what is written is read as the same, and what is damaged is refused."""

import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from helpers import committed, hostile
from kantor.system import core_yaml
from kantor.system.errors import KantorError

TEXT = committed.settings()
CONTENT = core_yaml.parse(TEXT, "params.yaml")

# Text that YAML 1.1, PyYAML's, reads as it is written: without the line ends that 1.2 hasn't.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029")
WORDS = ("1e3", "3e-05", "0o7", "052", "1:30", "yes", "no", "on", "~", "null", "2026-01-01", "<<")
TEXTS = st.text(LETTERS, max_size=30) | st.sampled_from(
    (*WORDS, "=", "1_000", "0b11", ".5", "+.5", "1.e5", "0x1", "- a", "a: b", "#x", " x", "", "NaN")
)
SINGLE = TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
SETTINGS = st.dictionaries(
    TEXTS,
    st.recursive(
        SINGLE,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
        max_leaves=8,
    ),
    max_size=4,
)


@given(SETTINGS)
def test_what_dvc_writes_is_read_as_the_same(content):
    from dvc.utils.serialize import dumps_yaml

    assert (core_yaml.parse(dumps_yaml(content), "x") or {}) == content


@given(SETTINGS)
def test_what_is_written_here_is_read_as_the_same_here_and_by_dvc(content):
    from dvc.utils.serialize import parse_yaml

    written = core_yaml.dump(content)
    assert core_yaml.parse(written, "x") == content
    assert parse_yaml(written, "x") == content


SHORT = core_yaml.dump(CONTENT, default_flow_style=None, width=1000)
SNIPPETS = [*":-[]{},&*!|>'\"%@`#?~\\\t\0\n", "\n  ", "- ", ": "]
SNIPPETS += [*WORDS, "&a", "*a", "!!int", "---", "...", "%YAML 1.1", "nan", ".inf", 400 * "9"]
EDITS = st.lists(
    st.tuples(
        st.integers(0, len(SHORT)),
        st.integers(0, 30),
        st.sampled_from(SNIPPETS) | st.text(max_size=5),
    ),
    min_size=1,
    max_size=4,
)


def fuzz(edits):
    """Read settings of which some letters are others: an error is one sentence."""
    text = SHORT
    for place, removed, added in edits:
        text = text[:place] + added + text[place + removed :]
    try:
        hostile.check(core_yaml.parse(text, "params.yaml"))
    except KantorError as error:
        assert str(error).isprintable() and len(str(error)) <= hostile.LONGEST
        assert not [words for words in hostile.FOREIGN if words in str(error)]


@given(EDITS)
@example([(0, len(SHORT), "")])
def test_changed_settings_are_read_or_refused(edits):
    fuzz(edits)


@pytest.mark.slow
@examples(max_examples=10_000)
@given(EDITS)
def test_changed_settings_are_read_or_refused_ten_thousand_times(edits):
    fuzz(edits)
