"""Damaged files between two stages: each is one sentence that names the file and its stage."""

import shutil

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import between, running
from helpers.between import (
    at_a_record,
    changed,
    copied,
    cut,
    empty,
    flipped,
    gone,
    noise,
    replaced,
    without,
    without_last_line,
)
from helpers.clone import digests
from kantor import metadata
from kantor.data import records
from kantor.system.errors import KantorError

CHORALE, CORPUS = "data/chorales/valid/chorale_001.csv", "data/chorales/corpus.csv"
DETAILS = "data/chorales/test/chorale_002.details.csv"
DATASET = "data/records/dataset.json"
PIECES, WINDOWS = "data/records/train_pieces.tfrecord", "data/records/valid_windows.tfrecord"
INDEX, GRID = "reports/compositions/pieces.json", "reports/compositions/hot.csv"
GRID_DETAILS = "reports/compositions/hot.details.csv"
LIKELY = "reports/probabilities/cold.csv"
WAV, MID, XML, CSV = (f"reports/samples/cold.{kind}" for kind in ("wav", "mid", "musicxml", "csv"))
METRICS, MUSIC = "reports/metrics.json", "reports/music.json"
FIGURES, AWAY = "reports/music/figures.csv", "reports/music/given_away.csv"
GRADES = "reports/music/temperature.csv"
CURVE, HISTORY = "reports/evaluation/training.csv", "reports/training.csv"
MODEL, STRIKES = "models/chorale.keras", "models/strikes.keras"

# The stage that reads, the file, what is done to it, the stage that writes it, and what is said.
CASES = [
    ("preprocess", CHORALE, gone, "download", "no such chorale; expected one of 40 rows"),
    ("preprocess", CHORALE, empty, "download", "an empty file"),
    ("preprocess", CHORALE, without_last_line, "download", "39 rows; expected 40"),
    ("preprocess", CHORALE, noise, "download", "not a text file"),
    ("preprocess", CHORALE, replaced("note3", "note4"), "download", "expected 'note0,"),
    ("preprocess", DETAILS, gone, "download", "no such details"),
    ("preprocess", DETAILS, without_last_line, "download", "39 rows; expected 40"),
    ("preprocess", DETAILS, empty, "download", "an empty file"),
    ("preprocess", DETAILS, noise, "download", "not a text file"),
    ("preprocess", CORPUS, gone, "download", "no such file"),
    ("preprocess", CORPUS, empty, "download", "its first line is"),
    ("preprocess", CORPUS, noise, "download", "expected the columns"),
    ("preprocess", CORPUS, without_last_line, "download", "a chorale that is not expected"),
    ("preprocess", CORPUS, replaced("minor", "lydian"), "download", "mode is 'lydian'"),
    ("preprocess", CORPUS, replaced(",A,", ",H,"), "download", "key is 'H'"),
    ("preprocess", CORPUS, replaced("train,1,", "train,2,"), "download", "there twice"),
    ("preprocess", CORPUS, replaced("train,1,40", "train,1,9"), "download", "40 rows; expected 9"),
    ("preprocess", CORPUS, replaced("train,1,", "train,99,"), "download", "not expected"),
    (
        "preprocess",
        CORPUS,
        replaced("train,1,", f"train,{'9' * 5000},"),
        "download",
        "expected the",
    ),
    ("preprocess", CORPUS, replaced("minor", "minor\0"), "download", "expected the columns"),
    ("judge", "data/chorales/test/chorale_001.csv", gone, "download", "no such chorale"),
    ("judge", DATASET, gone, "preprocess", "no such file"),
    ("compose", CHORALE.replace("valid", "train"), gone, "download", "no such chorale"),
    ("evaluate", DATASET, gone, "preprocess", "no such file"),
    ("evaluate", DATASET, empty, "preprocess", "damaged"),
    ("evaluate", DATASET, cut, "preprocess", "damaged"),
    ("evaluate", DATASET, noise, "preprocess", "damaged"),
    ("evaluate", DATASET, replaced("{", "[" * 5000), "preprocess", "damaged"),
    ("evaluate", DATASET, lambda path: path.write_text("[]"), "preprocess", "expected an object"),
    ("evaluate", DATASET, without("splits", "test"), "preprocess", "its splits are train, valid"),
    ("evaluate", DATASET, without("splits", "test", "rows"), "preprocess", "splits.test.rows"),
    ("evaluate", DATASET, changed("held_out_test", value="yes"), "preprocess", "held_out_test"),
    ("evaluate", DATASET, changed("vocabulary", value=46), "preprocess", "vocabulary"),
    ("evaluate", DATASET, changed("window_rows", value=1e300), "preprocess", "window_rows"),
    ("evaluate", PIECES, gone, "preprocess", "no such records"),
    ("evaluate", PIECES, empty, "preprocess", "0 pieces; expected 3"),
    ("evaluate", PIECES, at_a_record, "preprocess", "1 pieces; expected 3"),
    ("evaluate", PIECES, cut, "preprocess", "damaged records"),
    ("evaluate", PIECES, flipped, "preprocess", "damaged records"),
    ("evaluate", PIECES, noise, "preprocess", "damaged records"),
    ("evaluate", PIECES, copied("train_windows.tfrecord"), "preprocess", "expected 3"),
    ("evaluate", WINDOWS, copied("valid_pieces.tfrecord"), "preprocess", "windows"),
    ("evaluate", WINDOWS, at_a_record, "preprocess", "1 windows; expected"),
    ("evaluate", HISTORY, gone, "train", "no such file"),
    ("evaluate", HISTORY, empty, "train", "damaged"),
    ("evaluate", HISTORY, replaced("valid_loss", "loss_valid"), "train", "no column valid_loss"),
    ("evaluate", HISTORY, replaced("\n1,2,", "\n1,7,"), "train", "don't count from 1"),
    ("evaluate", HISTORY, replaced("\n1,2,", "\n1,two,"), "train", "two is there"),
    ("evaluate", MODEL, gone, "train", "no such model"),
    ("evaluate", MODEL, empty, "train", "an empty file"),
    ("evaluate", MODEL, cut, "train", "not a model file"),
    ("evaluate", MODEL, noise, "train", "not a model file"),
    ("evaluate", STRIKES, cut, "train", "not a model file"),
    ("train", PIECES, flipped, "preprocess", "damaged records"),
    ("train", WINDOWS, at_a_record, "preprocess", "1 windows; expected"),
    ("train", "data/records/train_windows.tfrecord", flipped, "preprocess", "damaged records"),
    ("train", DATASET, cut, "preprocess", "damaged"),
    ("render", INDEX, gone, "compose", "no such file"),
    ("render", INDEX, empty, "compose", "damaged"),
    ("render", INDEX, cut, "compose", "damaged"),
    ("render", INDEX, changed("hot", "rows", value=11), "compose", "12 rows; expected 11"),
    ("render", INDEX, without("hot", "composer"), "compose", "composer"),
    ("render", INDEX, changed("../hot", value={}), "compose", "a piece is called '../hot'"),
    (
        "render",
        INDEX,
        changed("hot", "metadata", "metre", value="4/5"),
        "compose",
        "metre is '4/5'",
    ),
    ("render", INDEX, changed("hot", "metadata", "signature", value=99), "compose", "signature is"),
    ("render", GRID, gone, "compose", "no such file"),
    ("render", GRID, empty, "compose", "the first line is ''"),
    ("render", GRID, without_last_line, "compose", "11 rows; expected 12"),
    ("render", GRID, noise, "compose", "damaged"),
    ("render", GRID_DETAILS, gone, "compose", "no such file"),
    ("render", GRID_DETAILS, without_last_line, "compose", "11 rows; expected 12"),
    ("report", INDEX, without("cold"), "compose", "no piece cold"),
    ("report", LIKELY, gone, "compose", "no such file"),
    ("report", LIKELY, empty, "compose", "damaged"),
    ("report", LIKELY, without_last_line, "compose", "11 rows; expected 0 to 11"),
    ("report", LIKELY, replaced("0.5", "7"), "compose", "7.0 is there; expected a number"),
    ("report", LIKELY, replaced("0.5", "nan"), "compose", "nan is there"),
    ("report", LIKELY, replaced("0.5", "often"), "compose", "often is there"),
    ("report", LIKELY, replaced("alto", "viola"), "compose", "no column alto"),
    ("report", WAV, gone, "render", "no such file"),
    ("report", WAV, empty, "render", "damaged"),
    ("report", WAV, cut, "render", "cold.wav"),
    ("report", WAV, noise, "render", "damaged"),
    ("report", WAV, copied("cold.mid"), "render", "damaged"),
    ("report", MID, gone, "render", "no such file"),
    ("report", MID, cut, "render", "not a MIDI file"),
    ("report", MID, empty, "render", "not a MIDI file"),
    ("report", XML, gone, "render", "no such file"),
    ("report", XML, cut, "render", "damaged"),
    ("report", XML, empty, "render", "damaged"),
    ("report", CSV, without_last_line, "render", "other notes than those composed"),
    ("report", METRICS, gone, "evaluate", "no such file"),
    ("report", METRICS, cut, "evaluate", "damaged"),
    ("report", METRICS, without("test"), "evaluate", "damaged"),
    ("report", METRICS, without("test", "voices", "alto"), "evaluate", "alto"),
    ("report", METRICS, changed("test", "pieces", "loss", value="low"), "evaluate", "damaged"),
    (
        "report",
        METRICS,
        changed("test", "windows", "accuracy", value=7),
        "evaluate",
        "accuracy is 7",
    ),
    ("report", MUSIC, gone, "judge", "no such file"),
    ("report", MUSIC, without("preferred"), "judge", "preferred"),
    ("report", FIGURES, gone, "judge", "no such file"),
    ("report", FIGURES, cut, "judge", "figures.csv"),
    ("report", FIGURES, replaced("preferred", "deferred"), "judge", "no column preferred"),
    ("report", AWAY, replaced("auc", "cua"), "judge", "no column auc"),
    ("report", GRADES, empty, "judge", "damaged"),
    ("report", CURVE, gone, "evaluate", "no such file"),
    ("report", CURVE, replaced("learning_rate", "rate"), "evaluate", "no column learning_rate"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return between.build(tmp_path_factory.mktemp("between"))


@pytest.mark.parametrize(
    ("reader", "file", "damage", "writer", "words"),
    CASES,
    ids=[
        f"{reader}-{file.rpartition('/')[2]}-{place}"
        for place, (reader, file, *_) in enumerate(CASES)
    ],
)
def test_a_damaged_file_is_one_sentence(whole, tmp_path, reader, file, damage, writer, words):
    folder = tmp_path / "project"
    shutil.copytree(whole, folder)
    damage(folder / file)
    before = digests(folder, ".")
    sentence = running.stage(reader, folder)
    assert sentence.startswith("error: ") and sentence.count("\n") == 0, sentence
    assert words in sentence and file.rpartition("/")[0] in sentence, sentence
    assert f"dvc repro {writer}`" in sentence or f"dvc repro -sf {writer}`" in sentence, sentence
    assert digests(folder, ".") == before


def examples(count):
    """As many examples as the project's profile has, or `count` under --all."""
    return hypothesis.settings(max_examples=count)


mutations = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=6)


def mutated(content, places):
    """Bytes with some others put over them."""
    content = bytearray(content)
    for place, instead in places:
        content[place : place + len(instead)] = instead
    return bytes(content)


def refused_or_read(read, *arguments):
    try:
        read(*arguments)
    except KantorError as error:
        assert "\n" not in str(error)


READERS = {
    "corpus.csv": (CORPUS, lambda path: metadata.read(path)),
    "dataset.json": (DATASET, lambda path: records.dataset(path.parent)),
}


@pytest.mark.parametrize("count", [50, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("reader", READERS)
def test_a_mutated_file_is_read_or_refused(whole, tmp_path, reader, count):
    file, read = READERS[reader]
    path = tmp_path / reader
    content = (whole / file).read_bytes()

    @examples(count)
    @given(mutations | st.binary(max_size=200))
    def check(change):
        path.write_bytes(change if isinstance(change, bytes) else mutated(content, change))
        refused_or_read(read, path)

    check()
