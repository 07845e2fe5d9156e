from xml.etree import ElementTree

import numpy as np
import pytest

from helpers.music import random_grid
from kantor.report import piano_roll

SVG = "{http://www.w3.org/2000/svg}"


def drawn(grid, probabilities, prompt_rows=0):
    return ElementTree.fromstring(piano_roll.draw(grid, probabilities, prompt_rows))


def test_every_note_has_a_frame_where_it_sounds_and_is_filled_as_it_was_likely():
    grid = np.array([[67, 0, 59, 43], [67, 0, 60, 43], [69, 0, 60, 43]])
    probabilities = np.array([[np.nan, 0, 0, 1], [0.5, 0, 0, 1], [1, 0, 0, 1]])
    picture = drawn(grid, probabilities, prompt_rows=2)
    groups = {group.get("class"): group for group in picture.iter(f"{SVG}g")}
    assert list(groups) == ["soprano", "alto", "tenor", "bass"] and not len(groups["alto"])
    frames = {
        name: [
            (int(rect.get("x")), int(rect.get("width")))
            for rect in group
            if rect.get("class") == "frame"
        ]
        for name, group in groups.items()
    }
    left, row = piano_roll.LEFT, piano_roll.ROW
    assert frames["soprano"] == [(left, 2 * row), (left + 2 * row, row)]
    assert frames["tenor"] == [(left, row), (left + row, 2 * row)]
    assert frames["bass"] == [(left, 3 * row)]
    filled = [
        float(rect.get("fill-opacity")) for rect in groups["soprano"] if not rect.get("class")
    ]
    assert filled == [1, pytest.approx(0.54, abs=0.03), 1]
    (prompt,) = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "prompt"]
    assert int(prompt.get("width")) == 2 * row


def test_a_repeated_note_is_seen_as_two():
    grid = np.tile([67, 0, 59, 43], (4, 1))
    struck = np.zeros_like(grid)
    struck[[0, 2], 0] = 1
    picture = ElementTree.fromstring(piano_roll.draw(grid, np.full((4, 4), 0.5), struck=struck))
    soprano, _, tenor, _ = picture.iter(f"{SVG}g")
    left, row, gap = piano_roll.LEFT, piano_roll.ROW, piano_roll.GAP
    for rects in (soprano[::2], soprano[1::2]):  # the fillings, and the frames
        assert [(int(rect.get("x")), int(rect.get("width"))) for rect in rects] == [
            (left, 2 * row - gap),
            (left + 2 * row, 2 * row),
        ]
    assert [int(rect.get("width")) for rect in tenor] == [4 * row, 4 * row]


def test_higher_is_further_up_and_nothing_leaves_the_picture():
    grid = random_grid(50)
    picture = drawn(grid, np.full(grid.shape, 0.5))
    width, height = map(int, picture.get("viewBox").split()[2:])
    frames = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "frame"]
    assert max(int(rect.get("x")) + int(rect.get("width")) for rect in frames) == width
    tops = [int(rect.get("y")) for rect in frames]
    assert min(tops) >= 0 and max(tops) + piano_roll.SEMITONE <= height
    span = grid[grid > 0].max() - grid[grid > 0].min()
    assert max(tops) - min(tops) == piano_roll.SEMITONE * span


def test_a_higher_note_is_drawn_above_a_lower_one():
    picture = drawn(np.array([[72, 65, 60, 48]]), np.full((1, 4), 0.5))
    frames = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class") == "frame"]
    tops = [int(rect.get("y")) for rect in frames]
    assert tops == sorted(tops) and tops[1] - tops[0] == 7 * piano_roll.SEMITONE


def test_silence_is_a_picture_without_notes():
    picture = drawn(np.zeros((12, 4), int), np.full((12, 4), 0.5), prompt_rows=4)
    width, height = map(int, picture.get("viewBox").split()[2:])
    assert width == piano_roll.LEFT + 12 * piano_roll.ROW and height > 0
    assert not [group for group in picture.iter(f"{SVG}g") if len(group)]
