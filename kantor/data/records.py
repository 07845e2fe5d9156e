"""Chorales as TFRecords: out and in.

A record is a `tf.train.Example` with `tokens` (an arpeggio), `chorale` (its number), `row` (where
in the chorale it starts), and `plan` and `struck`, row by row. The same records are the same
bytes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor import details
from kantor import plan as plans
from kantor.chorale import VOICES
from kantor.system.errors import KantorError
from kantor.system.runtime import tf


class _Fields(NamedTuple):
    tokens: np.ndarray
    chorale: int
    row: int
    plan: np.ndarray
    struck: np.ndarray


class Record(_Fields):
    """A chorale or some rows of it: tokens (rows, 4) int, the chorale's number, its first row, the
    plan (rows, 6) int32, and the struck cells of its details (rows, 4) int32. The last two are
    unknown unless they are passed.
    """

    __slots__ = ()

    def __new__(
        cls,
        tokens: np.ndarray,
        chorale: int,
        row: int,
        plan: np.ndarray | None = None,
        struck: np.ndarray | None = None,
    ) -> "Record":
        """Fill in what is not passed."""
        if plan is None:
            plan = plans.unknown(len(tokens))
        if struck is None:
            struck = np.full((len(tokens), len(VOICES)), details.UNKNOWN, np.int32)
        return super().__new__(cls, tokens, chorale, row, plan, struck)


def windows(piece: Record, window: int, shift: int) -> Iterator[Record]:
    """Cut windows of `window` + 1 rows, one every `shift` rows, and drop what is left.

    A window's plan goes on counting to the ends of the phrase and of the whole piece.
    """
    for start in range(0, len(piece.tokens) - window, shift):
        rows = slice(start, start + window + 1)
        yield Record(
            piece.tokens[rows],
            piece.chorale,
            piece.row + start,
            piece.plan[rows],
            piece.struck[rows],
        )


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records to one TFRecord file."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            feature = {name: _int64s(value) for name, value in record._asdict().items()}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            # Otherwise the order of the features is another in every process.
            writer.write(example.SerializeToString(deterministic=True))


def dataset(folder: Path) -> dict:
    """The dataset.json that preprocess writes beside its records: what they hold."""
    try:
        return json.loads((folder / "dataset.json").read_text())
    except (FileNotFoundError, ValueError) as error:
        raise KantorError(
            f"{folder / 'dataset.json'}: {error}; run `dvc repro preprocess`"
        ) from None


def read(path: Path) -> Iterator[Record]:
    """Read the records back, in order; their arrays are int32."""
    if not path.exists():
        raise KantorError(f"{path}: no such records; run `dvc repro preprocess`")
    try:
        for tokens, chorale, row, plan, struck in tf.data.TFRecordDataset(str(path)).map(_parsed):
            notes = _in_rows(tokens, (-1, len(VOICES)))
            yield Record(
                notes,
                int(chorale),
                int(row),
                _in_rows(plan, (len(notes), plans.COLUMNS)),
                _in_rows(struck, notes.shape),
            )
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError, ValueError):
        raise KantorError(f"{path}: damaged records; run `dvc repro -f preprocess`") from None


def _parsed(example: tf.Tensor) -> tuple[tf.Tensor, ...]:
    one, more = tf.io.FixedLenFeature([], tf.int64), tf.io.RaggedFeature(tf.int64)
    features = {"tokens": more, "chorale": one, "row": one, "plan": more, "struck": more}
    values = tf.io.parse_single_example(example, features)
    return tuple(values[name] for name in Record._fields)


def _in_rows(values: tf.Tensor, shape: tuple[int, int]) -> np.ndarray:
    return values.numpy().astype(np.int32).reshape(shape)


def _int64s(value: np.ndarray | int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
