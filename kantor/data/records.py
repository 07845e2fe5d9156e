"""Chorales as TFRecords: out and in.

A record is a `tf.train.Example` with `tokens` (an arpeggio), `chorale` (its number) and
`row` (where in the chorale it starts). The same records are the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor.chorale import VOICES
from kantor.system.errors import KantorError
from kantor.system.runtime import tf


class Record(NamedTuple):
    """A chorale or some rows of it: tokens (rows, 4) int, the chorale's number, its first row."""

    tokens: np.ndarray
    chorale: int
    row: int


def windows(piece: Record, window: int, shift: int) -> Iterator[Record]:
    """Cut windows of `window` + 1 rows, one every `shift` rows, and drop what is left."""
    for start in range(0, len(piece.tokens) - window, shift):
        yield Record(piece.tokens[start : start + window + 1], piece.chorale, piece.row + start)


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
    """Read the records back, in order; tokens are int32."""
    if not path.exists():
        raise KantorError(f"{path}: no such records; run `dvc repro preprocess`")
    try:
        for tokens, chorale, row in tf.data.TFRecordDataset(str(path)).map(_parsed):
            in_rows = tokens.numpy().astype(np.int32).reshape(-1, len(VOICES))
            yield Record(in_rows, int(chorale), int(row))
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError, ValueError):
        raise KantorError(f"{path}: damaged records; run `dvc repro -f preprocess`") from None


def _parsed(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    one = tf.io.FixedLenFeature([], tf.int64)
    features = {"tokens": tf.io.RaggedFeature(tf.int64), "chorale": one, "row": one}
    values = tf.io.parse_single_example(example, features)
    return values["tokens"], values["chorale"], values["row"]


def _int64s(value: np.ndarray | int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
