import numpy as np
import pytest

from helpers.music import random_grid
from kantor import chorale
from kantor.evaluation import surprise
from kantor.notation.bars import Bars


def rising(pieces):
    """Probabilities that rise from token to token, the same everywhere, and none at first."""
    outputs = []
    for tokens in pieces:
        shares = np.arange(1, chorale.VOCABULARY_SIZE + 1, dtype=np.float32)
        output = np.tile(shares / shares.sum(), (*tokens.shape, 1))
        output[0, 0] = 0
        outputs.append(output)
    return outputs


def test_a_note_has_the_surprise_of_its_beginning_and_of_what_it_holds():
    grid = np.array([[60, 55, 50, 36], [60, 57, 50, 0], [81, 57, 50, 0]])
    (notes,) = surprise.surprises([grid], rising)
    places = [[0, 0], [0, 1], [0, 2], [0, 3], [1, 1], [1, 3], [2, 0]]
    assert notes[["row", "voice"]].to_numpy().tolist() == places
    assert notes["pitch"].tolist() == [60, 55, 50, 36, 57, 0, 81]
    assert notes["rows"].tolist() == [2, 1, 3, 1, 2, 2, 1]
    total = chorale.VOCABULARY_SIZE * (chorale.VOCABULARY_SIZE + 1) / 2
    nats = -np.log((chorale.encode(grid) + 1) / total)
    assert np.isnan(notes["surprise"][0])
    assert notes["surprise"][1:].to_numpy() == pytest.approx(
        [nats[at] for at in map(tuple, places[1:])]
    )
    assert notes["held_surprise"][2] == pytest.approx(2 * nats[0, 2])
    assert np.nansum(notes[["surprise", "held_surprise"]]) == pytest.approx(nats.sum() - nats[0, 0])


def test_only_likelier_notes_are_named():
    grid = np.array([[60, 55, 50, 36], [81, 80, 79, 36]])
    (notes,) = surprise.surprises([grid], rising)
    (named,) = [surprise.named(notes, grid, Bars.of(len(grid)))]
    likelier = named[[f"likelier_{place}" for place in (1, 2, 3)]].to_numpy().tolist()
    assert likelier[0] == ["", "", ""], "there is nothing to tell the first note from"
    assert likelier[1] == ["A5", "G#5", "G5"]
    assert likelier[4:] == [["", "", ""], ["A5", "", ""], ["A5", "G#5", ""]]


def test_the_most_surprising_come_first():
    grid = random_grid(20)
    (notes,) = surprise.surprises([grid], rising)
    lines = surprise.lines(surprise.named(notes, grid, Bars.of(len(grid))), Bars.of(len(grid)), 10)
    nats = [float(line.split()[4]) for line in lines]
    assert nats == sorted(nats, reverse=True) and len(nats) == 10
    assert nats[0] == pytest.approx(notes["surprise"].max(), abs=0.006)
