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

parts = st.builds(
    records.Record,
    arrays.arrays(np.int32, st.tuples(st.integers(1, 15), st.just(4)), elements=st.integers(0, 46)),
    st.integers(0, 999),
    st.integers(0, 999),
)


@given(st.lists(parts, max_size=5))
def test_reading_written_records_gives_them_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("records") / "some.tfrecord"
    records.write(path, written)
    read = list(records.read(path))
    assert [(r.chorale, r.row) for r in read] == [(r.chorale, r.row) for r in written]
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(read, written, strict=True))


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
    names = re.findall(rb"chorale|row|tokens", (tmp_path / "some").read_bytes())
    assert names == [b"chorale", b"row", b"tokens"] * 20


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
