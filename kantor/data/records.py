"""Chorales as TFRecords: out and in.

A record is a `tf.train.Example` with `tokens` (an arpeggio), `chorale` (its number), `row` (where
in the chorale it starts), and `plan` and `struck`, row by row. The same records are the same
bytes.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from kantor import details
from kantor import plan as plans
from kantor.chorale import SPLITS, VOCABULARY_SIZE, VOICES
from kantor.params import Block
from kantor.system import settings
from kantor.system.errors import KantorError
from kantor.system.intermediate import again, read_json, reading
from kantor.system.runtime import tf

STAGE = "preprocess"  # which writes records


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
    """Write records to one TFRecord file.

    TensorFlow tells of a full disk in its own way; it is an OSError here, as elsewhere.
    """
    try:
        _write(path, records)
    except tf.errors.OpError as error:
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        number = errno.ENOSPC if full else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error


def _write(path: Path, records: Iterable[Record]) -> None:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            feature = {name: _int64s(value) for name, value in record._asdict().items()}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            # Otherwise the order of the features is another in every process.
            writer.write(example.SerializeToString(deterministic=True))


class Split(Block):
    """What dataset.json tells of a split; ranges are MIDI pitches by voice."""

    chorales: PositiveInt
    chorales_with_details: NonNegativeInt
    rows: PositiveInt
    notes: PositiveInt
    silent_notes: NonNegativeInt
    ranges: dict[str, list[int]]
    windows: PositiveInt


class Dataset(Block):
    """What dataset.json tells; its test split is missing if it was trained on."""

    held_out_test: bool
    vocabulary: Literal[47]
    window_rows: PositiveInt
    window_notes: PositiveInt
    splits: dict[str, Split]


def dataset(folder: Path) -> dict:
    """The dataset.json that preprocess writes beside its records: what they hold."""
    path = folder / "dataset.json"
    content = read_json(path, STAGE)
    with reading(path, STAGE):
        checked = settings.checked(Dataset, content, str(path))
        expected = SPLITS if checked.held_out_test else SPLITS[:2]
        if set(checked.splits) != set(expected):
            raise ValueError(f"its splits are {', '.join(checked.splits):.60}")
    return content


def read_split(folder: Path, split: str, protocol: str) -> list[Record]:
    """The `pieces` or the `windows` of a split, of which there must be as many, and of as many
    rows, as dataset.json says.
    """
    told = dataset(folder)
    path = folder / f"{split}_{protocol}.tfrecord"
    if split not in told["splits"]:
        raise KantorError(f"{path}: {folder / 'dataset.json'} has no such split; {again(STAGE)}")
    counts = told["splits"][split]
    expected = {"pieces": counts["chorales"], "windows": counts["windows"]}[protocol]
    records = list(read(path))
    if len(records) != expected:
        wrong = f"{len(records)} {protocol}; expected {expected}"
    elif protocol == "pieces" and (rows := sum(len(r.tokens) for r in records)) != counts["rows"]:
        wrong = f"{rows} rows; expected {counts['rows']}"
    elif protocol == "windows" and {len(r.tokens) for r in records} != {told["window_rows"] + 1}:
        wrong = f"windows of other lengths; expected {told['window_rows'] + 1} rows in each"
    else:
        return records
    raise KantorError(f"{path}: {wrong}, as in dataset.json; {again(STAGE)}")


def read(path: Path) -> Iterator[Record]:
    """Read the records back, in order; their arrays are int32."""
    if not path.exists():
        raise KantorError(f"{path}: no such records; run `dvc repro {STAGE}`")
    try:
        for tokens, chorale, row, plan, struck in tf.data.TFRecordDataset(str(path)).map(_parsed):
            notes = _in_rows(tokens, (-1, len(VOICES)))
            if not (len(notes) and notes.min() >= 0 and notes.max() < VOCABULARY_SIZE):
                raise ValueError("tokens that no note has")
            yield Record(
                notes,
                int(chorale),
                int(row),
                _in_rows(plan, (len(notes), plans.COLUMNS)),
                _in_rows(struck, notes.shape),
            )
    except (tf.errors.OpError, ValueError):
        raise KantorError(f"{path}: damaged records; {again(STAGE)}") from None


def _parsed(example: tf.Tensor) -> tuple[tf.Tensor, ...]:
    one, more = tf.io.FixedLenFeature([], tf.int64), tf.io.RaggedFeature(tf.int64)
    features = {"tokens": more, "chorale": one, "row": one, "plan": more, "struck": more}
    values = tf.io.parse_single_example(example, features)
    return tuple(values[name] for name in Record._fields)


def _in_rows(values: tf.Tensor, shape: tuple[int, int]) -> np.ndarray:
    return values.numpy().astype(np.int32).reshape(shape)


def _int64s(value: np.ndarray | int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
