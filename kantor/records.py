"""Arpeggios as TFRecords: out and in.

A record is a `tf.train.Example` with `tokens` (an arpeggio), `chorale` (its number) and
`row` (where in the chorale it starts). The same records are the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor.chorale import VOICES
from kantor.errors import KantorError
from kantor.runtime import tf


class Record(NamedTuple):
    """Part of a chorale: tokens (notes,) int, the chorale's number, its first row."""

    tokens: np.ndarray
    chorale: int
    row: int


def windows(piece: Record, window: int, shift: int) -> Iterator[Record]:
    """Cut windows of `window` + 1 rows, one every `shift` rows, dropping what is left."""
    length = (window + 1) * len(VOICES)
    for start in range(0, len(piece.tokens) - length + 1, shift * len(VOICES)):
        tokens = piece.tokens[start : start + length]
        yield Record(tokens, piece.chorale, piece.row + start // len(VOICES))


def write(path: Path, records: Iterable[Record]) -> None:
    """Write records to one TFRecord file."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            feature = {name: _int64s(value) for name, value in record._asdict().items()}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            # Otherwise the order of the features is another in every process.
            writer.write(example.SerializeToString(deterministic=True))


def dataset(folder: Path) -> dict:
    """What the stage preprocess says of its records: its dataset.json."""
    try:
        return json.loads((folder / "dataset.json").read_text())
    except (FileNotFoundError, ValueError) as error:
        raise KantorError(
            f"{folder / 'dataset.json'}: {error}; run `dvc repro preprocess`"
        ) from None


def read(path: Path) -> Iterator[Record]:
    """Read the records back, in order."""
    try:
        for tokens, chorale, row in _parsed(path):
            yield Record(tokens.numpy(), int(chorale), int(row))
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
        raise KantorError(f"{path}: damaged records; run `dvc repro -f preprocess`") from None


def _parsed(path: Path) -> tf.data.Dataset:
    if not path.exists():
        raise KantorError(f"{path}: no such records; run `dvc repro preprocess`")
    one = tf.io.FixedLenFeature([], tf.int64)
    features = {"tokens": tf.io.RaggedFeature(tf.int64), "chorale": one, "row": one}

    def parse(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        values = tf.io.parse_single_example(example, features)
        return values["tokens"], values["chorale"], values["row"]

    return tf.data.TFRecordDataset(str(path)).map(parse)


def _int64s(value: np.ndarray | int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
