import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies
from music21 import chord

from helpers.music import grids
from kantor.judging import chords

# What music21 calls them.
COMMON_NAMES = {
    "major": "major triad",
    "minor": "minor triad",
    "diminished": "diminished triad",
    "augmented": "augmented triad",
    "dominant seventh": "dominant seventh chord",
    "minor seventh": "minor seventh chord",
    "major seventh": "major seventh chord",
    "half-diminished": "half-diminished seventh chord",
    "diminished seventh": "diminished seventh chord",
}


def one(*pitches):
    """Kind, root, inversion and completeness of one chord."""
    rows = chords.classify(np.array([pitches]))
    return tuple(column[0].item() for column in rows)


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ((67, 64, 60, 48), ("major", 0, 0, True)),
        ((67, 60, 60, 52), ("major", 0, 1, True)),
        ((72, 64, 60, 55), ("major", 0, 2, True)),
        ((69, 64, 60, 57), ("minor", 9, 0, True)),
        ((65, 62, 59, 50), ("diminished", 11, 1, True)),
        ((74, 65, 59, 55), ("dominant seventh", 7, 0, True)),
        ((71, 67, 62, 53), ("dominant seventh", 7, 3, True)),
        ((71, 65, 55, 43), ("dominant seventh", 7, 0, False)),
        ((69, 65, 62, 60), ("minor seventh", 2, 3, True)),
        ((67, 64, 59, 48), ("major seventh", 0, 0, True)),
        ((69, 65, 62, 47), ("half-diminished", 11, 0, True)),
        # Every note might be the root: the lowest is.
        ((68, 64, 60, 48), ("augmented", 0, 0, True)),
        ((68, 64, 60, 52), ("augmented", 4, 0, True)),
        ((68, 65, 62, 47), ("diminished seventh", 11, 0, True)),
        ((68, 65, 59, 50), ("diminished seventh", 2, 0, True)),
        # With notes missing.
        ((64, 60, 60, 48), ("major", 0, 0, False)),
        ((60, 60, 60, 52), ("major", 0, 1, False)),
        ((67, 64, 64, 52), ("minor", 4, 0, False)),
        ((67, 60, 60, 48), ("major", 0, 0, False)),
        ((67, 60, 60, 55), ("major", 0, 2, False)),
        # Neither.
        ((60, 60, 60, 48), ("other", -1, -1, False)),
        ((61, 60, 60, 48), ("other", -1, -1, False)),
        ((67, 62, 60, 48), ("other", -1, -1, False)),
        ((0, 0, 0, 0), ("other", -1, -1, False)),
        # Silence is no note, and the lowest voice that sounds is the bass.
        ((67, 60, 52, 0), ("major", 0, 1, True)),
    ],
)
def test_chords(pitches, expected):
    assert one(*pitches) == expected


def test_complete_chords_are_those_of_music21():
    for size in (3, 4):
        sets = [(0, *others) for others in combinations(range(1, 12), size - 1)]
        rows = chords.classify(np.array(sets) + 60)
        for members, kind, root, _, complete in zip(sets, *rows, strict=True):
            theirs = chord.Chord([60 + member for member in members])
            name = re.sub("enharmonic (equivalent )?to ", "", theirs.commonName)
            assert (kind in COMMON_NAMES and complete) == (name in COMMON_NAMES.values()), members
            if complete:
                assert name == COMMON_NAMES[kind]
            if complete and kind not in chords.EVEN and theirs.commonName == name:
                assert theirs.root().pitchClass == root


def test_every_shape_is_of_one_kind():
    shapes = [shape for shapes in chords.SHAPES.values() for shape in shapes]
    turned = [
        (number, frozenset((root + step) % 12 for step in shape))
        for number, shape in enumerate(shapes)
        for root in range(12)
    ]
    for (number, members), (other, others) in combinations(turned, 2):
        assert number == other or members != others


@given(music=grids, semitones=strategies.integers(-12, 12))
def test_another_key_moves_the_root_and_nothing_else(music, semitones):
    moved = np.where(music > 0, music + semitones, 0)
    before, after = chords.classify(music), chords.classify(moved)
    rooted = before.root != chords.NO_ROOT
    assert np.array_equal(after.root, np.where(rooted, (before.root + semitones) % 12, -1))
    for name in ("kind", "inversion", "complete"):
        assert np.array_equal(getattr(after, name), getattr(before, name))


@given(music=grids)
def test_the_root_sounds_and_the_order_of_voices_does_not_matter(music):
    rows = chords.classify(music)
    for column, turned in zip(rows, chords.classify(music[:, ::-1]), strict=True):
        assert np.array_equal(column, turned)
    for row, root, inversion in zip(music, rows.root, rows.inversion, strict=True):
        sounding = [pitch % 12 for pitch in row if pitch]
        assert root == chords.NO_ROOT or root in sounding
        assert (inversion == 0) == (root >= 0 and root == min(p for p in row if p) % 12)
