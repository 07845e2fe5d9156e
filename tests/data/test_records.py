import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.music import random_grid, unpacked
from helpers.project import PROJECT
from kantor import chorale
from kantor.data import records
from kantor.system.errors import KantorError


@st.composite
def some_record(draw):
    """A record of up to 15 rows, whose plan and struck cells may be passed."""
    rows = draw(st.integers(1, 15))

    def cells(columns, least, most):
        elements = st.integers(least, most)
        return arrays.arrays(np.int32, (rows, columns), elements=elements)

    return records.Record(
        draw(cells(4, 0, 46)),
        draw(st.integers(0, 999)),
        draw(st.integers(0, 999)),
        draw(st.none() | cells(6, -1, 999)),
        draw(st.none() | cells(4, -1, 1)),
    )


@given(st.lists(some_record(), max_size=5))
def test_reading_written_records_gives_them_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("records") / "some.tfrecord"
    records.write(path, written)
    read = list(records.read(path))
    assert [(r.chorale, r.row) for r in read] == [(r.chorale, r.row) for r in written]
    for a, b in zip(read, written, strict=True):
        for name in ("tokens", "plan", "struck"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
            assert getattr(a, name).dtype == np.int32


def test_what_is_not_passed_is_unknown_in_every_row():
    record = records.Record(np.full((3, 4), 9), 1, 2)
    assert record.plan.tolist() == [[-1] * 6] * 3 and record.struck.tolist() == [[-1] * 4] * 3
    assert record.plan.dtype == record.struck.dtype == np.int32
    assert record._replace(row=5).row == 5


def test_windows_have_their_rows_of_the_plan_and_of_struck_notes():
    plan, struck = np.arange(60).reshape(10, 6), np.arange(40).reshape(10, 4)
    piece = records.Record(np.full((10, 4), 9), 7, 0, plan, struck)
    _, window = records.windows(piece, window=4, shift=3)
    assert np.array_equal(window.plan, plan[3:8]) and np.array_equal(window.struck, struck[3:8])


def test_windows_start_every_shift_rows_and_tails_are_dropped():
    piece = records.Record(chorale.encode(random_grid(70)), 7, 0)
    cut = list(records.windows(piece, window=32, shift=16))
    assert [(w.chorale, w.row, len(w.tokens)) for w in cut] == [
        (7, 0, 33), (7, 16, 33), (7, 32, 33),
    ]  # fmt: skip
    assert all(np.array_equal(w.tokens, piece.tokens[w.row :][:33]) for w in cut)
    assert list(records.windows(piece, window=70, shift=16)) == []


def test_the_archives_test_split_has_the_windows_and_notes_of_the_reference(published):
    test = [
        records.Record(chorale.encode(grid), index, 0)
        for (split, index), grid in unpacked(published).items()
        if split == "test"
    ]
    assert sum(1 for piece in test for _ in records.windows(piece, 32, 16)) == 1067
    assert sum(piece.tokens.size - 1 for piece in test) == 75_523


def test_the_features_of_a_record_are_in_one_order(tmp_path):
    records.write(tmp_path / "some", [records.Record(np.full((2, 4), 9), 1, 2)] * 20)
    names = re.findall(rb"chorale|plan|row|struck|tokens", (tmp_path / "some").read_bytes())
    assert names == [b"chorale", b"plan", b"row", b"struck", b"tokens"] * 20


@pytest.mark.slow
def test_the_same_records_are_the_same_bytes_in_every_process(tmp_path):
    write = (
        "import sys; from pathlib import Path; from kantor.data import records; import numpy;"
        "one = records.Record(numpy.arange(40).reshape(-1, 4), 1, 2);"
        "records.write(Path(sys.argv[1]), [one] * 20)"
    )
    digests = set()
    for hash_seed in ("1", "2", "3"):
        path = tmp_path / hash_seed
        environment = {"PYTHONHASHSEED": hash_seed, "PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT}
        subprocess.run([sys.executable, "-c", write, path], env=environment, check=True)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_damaged_records_are_told(tmp_path):
    path = tmp_path / "damaged"
    records.write(path, [records.Record(np.arange(8).reshape(2, 4), 0, 0)])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(KantorError, match="damaged records"):
        list(records.read(path))
    with pytest.raises(KantorError, match="no such records"):
        list(records.read(tmp_path / "none"))
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(KantorError, match=r"dataset\.json"):
        records.dataset(tmp_path)
