import numpy as np
import pytest

from kantor import chorale, details, metadata, plan
from kantor.data import plans
from kantor.details import Details
from kantor.metadata import Metadata
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError

ROWS = 12
GRID = np.tile([70, 65, 62, 46], (ROWS, 1))


def detailed(fermata, struck):
    """Details of a piece in 2/4 with a pickup of an eighth."""
    place = (np.arange(ROWS) - 2) % 8
    soprano = np.zeros((ROWS, 4), int)
    soprano[struck] = 1
    return Details(np.full(ROWS, 8), place, np.array(fermata), np.full(ROWS, 0), soprano)


def test_a_phrase_ends_with_the_note_that_has_the_fermata_and_the_last_with_the_piece():
    score = detailed([0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0], [0, 2, 4, 6, 8, 10])
    table = plans.plan(GRID, score, Metadata(key="Bb", mode="minor"))
    assert table[:, PHRASE].tolist() == [4, 3, 2, 1, 4, 3, 2, 1, 2, 1, 2, 1]
    assert table[:, LEFT].tolist() == [*range(ROWS, 0, -1)]
    assert table[:, [TONIC, MODE, BAR]].tolist() == ROWS * [[10, 1, 8]]
    assert table[:, PLACE].tolist() == [6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1]


def test_what_the_score_does_not_tell_is_unknown():
    table = plans.plan(GRID, details.unknown(ROWS), Metadata())
    assert (table[:, :LEFT] == UNKNOWN).all() and table[0, LEFT] == ROWS
    without = plans.plan(GRID, detailed(ROWS * [0], [0]), Metadata(key="C", mode="major"))
    assert (without[:, PHRASE] == UNKNOWN).all() and (without[:, BAR] == 8).all()


def test_the_key_of_a_piece_that_ends_elsewhere_is_not_told():
    in_g = plans.plan(GRID, details.unknown(ROWS), Metadata(key="G", mode="minor"))
    assert (in_g[:, [TONIC, MODE]] == UNKNOWN).all()


def test_the_plans_of_a_split_are_read_in_order(tmp_path):
    lengths = {("train", 3): 8, ("test", 0): 6, ("train", 1): 4}
    for (split, index), rows in lengths.items():
        path = tmp_path / chorale.file_name(split, index)
        path.parent.mkdir(exist_ok=True)
        path.write_text(chorale.to_csv(GRID[:rows]))
    metadata.write([Metadata(*key, rows) for key, rows in lengths.items()], tmp_path / "corpus.csv")
    assert [table.shape for table in plans.read(tmp_path, "train")] == [
        (4, plan.COLUMNS),
        (8, plan.COLUMNS),
    ]
    with pytest.raises(KantorError, match=r"corpus\.csv: no such file; run `dvc repro download`"):
        plans.read(tmp_path / "elsewhere", "train")
