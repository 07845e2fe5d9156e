"""Scores whose bytes are damaged at random: a score is read, or one sentence is said."""

import contextlib

import hypothesis
import pytest
from hypothesis import strategies as st

from helpers import bad_scores
from helpers.bad_scores import READERS
from kantor.system.errors import KantorError

# How a place in a file is damaged, where it begins, how long it is, and what may come there.
DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "repeat", "put", "end"]),
        st.integers(0, 10_000),
        st.integers(1, 40),
        st.binary(max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content, damages):
    """A file with some of its bytes flipped, cut out, repeated, put in, or all the rest cut off."""
    for how, begin, length, put in damages:
        begin %= len(content) + 1
        before, middle, after = (
            content[:begin],
            content[begin : begin + length],
            content[begin + length :],
        )
        content = {
            "flip": before
            + bytes(byte ^ 1 << length % 8 for byte in middle[:1])
            + middle[1:]
            + after,
            "cut": before + after,
            "repeat": before + middle * 3 + after,
            "put": before + put + middle + after,
            "end": before,
        }[how]
    return content


def fuzz(content, suffix, reader, damages, folder):
    path = folder / f"piece{suffix}"
    path.write_bytes(damaged(content, damages))
    with contextlib.suppress(KantorError):
        READERS[reader](path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("suffix", bad_scores.FORMATS)
@hypothesis.given(reader=st.sampled_from(sorted(READERS)), damages=DAMAGES)
def test_damaged_files_give_a_score_or_a_sentence(samples, folder, suffix, reader, damages):
    fuzz(samples[suffix], suffix, reader, damages, folder)


@pytest.mark.slow
@hypothesis.settings(max_examples=10_000)
@hypothesis.given(reader=st.sampled_from(sorted(READERS)), damages=DAMAGES)
def test_damaged_csvs_give_a_chorale_or_a_sentence(samples, folder, reader, damages):
    fuzz(samples[".csv"], ".csv", reader, damages, folder)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [suffix for suffix in bad_scores.FORMATS if suffix != ".csv"])
@hypothesis.settings(max_examples=500)  # music21 takes its time
@hypothesis.given(reader=st.sampled_from(sorted(READERS)), damages=DAMAGES)
def test_many_damaged_scores_give_a_score_or_a_sentence(samples, folder, suffix, reader, damages):
    """Ten thousand of all formats together."""
    fuzz(samples[suffix], suffix, reader, damages, folder)
