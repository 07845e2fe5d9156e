import numpy as np
import pytest

from helpers import running
from helpers.details import in_bars
from helpers.music import random_grid
from kantor import chorale, details, plan
from kantor.notation import reading
from kantor.sampling.fragments import UNKNOWN

pytestmark = pytest.mark.xdist_group("fill")
PICKUP, ROWS = 4, 56
GRID = random_grid(ROWS, seed=3)
STRUCK = (GRID != 0) & (np.arange(ROWS) % 2 == 0)[:, None]


@pytest.fixture(scope="module")
def piece(folder):
    """A piece of a pickup and bars 1 to 5 of 3/4, the last of them short, with a fermata in bar 2
    and at the end; every eighth is struck.
    """
    path = folder / "piece.csv"
    path.write_text(chorale.to_csv(GRID))
    told = in_bars(ROWS, bar=12, first=12 - PICKUP)._replace(
        fermata=np.isin(np.arange(ROWS), [*range(20, 22), ROWS - 2, ROWS - 1]).astype(int),
        signature=np.full(ROWS, 3),
        struck=STRUCK.astype(int),
    )
    details.file_beside(path).write_text(details.to_csv(told))
    return path


def fill(folder, name, *arguments):
    return running.kantor(folder, "fill", "piece.csv", name, *arguments)


def test_bars_are_composed_anew_and_all_else_is_kept(folder, piece, filters):
    assert fill(folder, "bars", "--bars", "2-3") == ""
    (fragment,) = filters.fragments
    rows = slice(PICKUP + 12, PICKUP + 36)
    expected = GRID.copy()
    expected[rows] = UNKNOWN
    assert fragment.grid.tolist() == expected.tolist()
    grid = chorale.read(folder / "bars/0.csv")
    there = fragment.there
    assert grid[there].tolist() == GRID[there].tolist()
    told = details.read(folder / "bars/0.details.csv")
    assert told.struck[there].tolist() == STRUCK[there].astype(int).tolist()
    assert told.place.tolist() == [(row + 12 - PICKUP) % 12 for row in range(ROWS)]
    assert told.signature.tolist() == ROWS * [3]
    _, described, _ = reading.read(folder / "bars/0.musicxml")
    assert (described.signature, described.metre, described.pickup) == (3, "3/4", 1.0)
    assert told.fermata[21] == told.fermata[ROWS - 1] == 1


def test_voices_that_are_not_asked_for_are_kept(folder, piece, filters):
    assert fill(folder, "inner", "--bars", "1", "--voices", "alto,tenor") == ""
    (fragment,) = filters.fragments
    rows, voices = np.nonzero(fragment.grid == UNKNOWN)
    assert sorted(set(rows)) == [*range(PICKUP, PICKUP + 12)] and set(voices) == {1, 2}


def test_the_pickup_is_bar_0(folder, piece, filters):
    assert fill(folder, "pickup", "--bars", "0-0") == ""
    (fragment,) = filters.fragments
    assert np.nonzero(fragment.grid == UNKNOWN)[0].max() == PICKUP - 1


def test_the_plan_is_that_of_the_file(folder, piece, filters):
    assert fill(folder, "planned", "--bars", "2") == ""
    table = filters.fragments[0].plan
    assert table[:, plan.BAR].tolist() == ROWS * [12]
    assert table[:, plan.LEFT].tolist() == [*range(ROWS, 0, -1)]
    assert table[21, plan.PHRASE] == 1 and table[22, plan.PHRASE] == ROWS - 22


def test_several_are_sorted_by_likelihood_and_listed(folder, piece, filters, capsys):
    assert fill(folder, "three", "--bars", "2", "--count", 3, "--particles", 4) == ""
    assert filters.particles == 4 and len(filters.fragments) == 3
    lines = capsys.readouterr().out.splitlines()
    nats = [float(line.split()[1]) for line in lines[-3:]]
    assert [line.split()[0] for line in lines[-3:]] == ["0", "1", "2"] and nats == sorted(nats)
    grids = {(folder / f"three/{number}.csv").read_text() for number in range(3)}
    assert len(grids) == 3


def test_a_score_is_filled_as_it_counts_its_bars(folder, piece, filters):
    assert fill(folder, "score", "--bars", "2") == ""
    bars = ("--bars", "2", "--voices", "bass")
    assert running.kantor(folder, "fill", "score/0.musicxml", "again", *bars) == ""
    fragment = filters.fragments[1]
    assert np.nonzero(fragment.grid == UNKNOWN)[0].tolist() == [*range(PICKUP + 12, PICKUP + 24)]
    first = chorale.read(folder / "score/0.csv")
    again, described, _ = reading.read(folder / "again/0.musicxml")
    assert again[fragment.there].tolist() == first[fragment.there].tolist()
    assert (described.metre, described.pickup) == ("3/4", 1.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--bars", "5-30"), "--bars is 5-30; piece.csv has bars 0 to 5"),
        (("--bars", "6"), "--bars is 6; piece.csv has bars 0 to 5"),
        (("--bars", "2", "--count", "0"), "--count is 0; expected 1 or more"),
        (("--bars", "2", "--particles", "0"), "--particles is 0; expected 1 or more"),
        (
            ("--bars", "2", "--particles", "4097"),
            "--particles is 4097; expected 4096 or less: all of them",
        ),
        (("--bars", "2", "--tempo", "1"), "kantor fill: tempo is 1"),
        (("--bars", "2", "--model", "none.keras"), "none.keras: no such model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_before_anything_is_composed(
    folder, piece, filters, arguments, sentence
):
    error = fill(folder, "bad", *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert not filters.fragments and not (folder / "bad").exists()


@pytest.mark.parametrize("wrong", ["8-5", "two", "1-", "-1"])
def test_bars_are_numbers(folder, piece, wrong, capsys):
    assert fill(folder, "bad", f"--bars={wrong}") == "2"
    assert "expected bars such as 5-8" in capsys.readouterr().err


def test_voices_have_names(folder, piece, capsys):
    assert fill(folder, "bad", "--bars", "1", "--voices", "alto,tuba") == "2"
    assert "expected some of soprano,alto,tenor,bass" in capsys.readouterr().err
