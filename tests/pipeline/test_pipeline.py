"""The whole pipeline on a tiny setting, in a temporary clone, as a user runs it."""

import json
import shutil
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile

from helpers import running
from helpers.clone import CONVOLUTIONS, Clone, digests
from helpers.networks import probabilities
from kantor import chorale, details, params
from kantor.commands import reproduce
from kantor.data import music21_corpus, records
from kantor.network import model, model_file, voice_leading
from kantor.notation import reading
from kantor.training import examples

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]  # they share what is built
SAMPLES = ("cold", "medium", "hot", "greedy")
NAMES = ("prompt", "original", "melody", "tune", *SAMPLES, "showcase_1", "train_000")


@pytest.fixture(
    scope="module",
    params=["quick network", "default network"],
)
def built(tmp_path_factory, request):
    """A clone that `dvc repro` built, and what it printed. Tests leave it as it is."""
    clone = Clone(tmp_path_factory.mktemp("clone") / "kantor")
    clone.shrink()
    if request.param == "quick network":
        clone.change(CONVOLUTIONS)
    printed = clone.run("dvc", "repro")
    return SimpleNamespace(
        clone=clone,
        folder=clone.folder,
        printed=printed,
        settings=params.load(clone.folder / "params.yaml"),
        network=model_file.load(clone.folder / "models/chorale.keras"),
        metrics=json.loads((clone.folder / "reports/metrics.json").read_text()),
    )


@pytest.fixture
def copy(built, tmp_path):
    """A folder with what was built, to change it."""
    for name in ("data", "models", "reports"):
        shutil.copytree(built.folder / name, tmp_path / name)
    shutil.copy(built.folder / "params.yaml", tmp_path)
    return tmp_path


def test_every_output_is_there(built):
    corpus = pd.read_csv(built.folder / "data/chorales/corpus.csv")
    assert corpus["split"].value_counts().to_dict() == {"train": 3, "valid": 3, "test": 3}
    dataset = json.loads((built.folder / "data/records/dataset.json").read_text())
    assert dataset["vocabulary"] == 47 and dataset["window_notes"] == 68
    assert dataset["splits"]["train"]["rows"] == corpus.query("split == 'train'")["rows"].sum()
    assert not (built.folder / "models/checkpoints").exists()
    history = pd.read_csv(built.folder / "reports/training.csv")
    assert history["epoch"].tolist() == [1, 2, 3] and (history > 0).all(axis=None)
    assert built.metrics["held_out_test"] is True
    assert built.metrics["test"]["pieces"]["notes"] == dataset["splits"]["test"]["notes"] - 3
    assert not (built.folder / "study/results").exists(), "dvc repro leaves the study alone"
    for name in ("place", "voices", "intervals"):
        assert len(pd.read_csv(built.folder / f"reports/evaluation/{name}.csv")) >= 4
    assert built.printed.count("Running stage") == 8
    assert built.clone.status() == {}, "with nothing changed nothing runs"


def test_training_and_evaluate_score_the_same_model_alike(built):
    parts = model.parts(model_file.load(built.folder / "models/chorale.keras"))
    (member,) = parts.members
    windows = list(records.read(built.folder / "data/records/valid_windows.tfrecord"))
    inputs, rows = examples.Windows(windows, parts).all()

    def losses():
        own = np.take_along_axis(probabilities(member, inputs), rows[..., None], axis=-1)
        return -np.log(own.reshape(len(rows), -1))

    # evaluate leaves out the first note, which nothing comes before
    scored = losses()[:, 1:] if parts.steps == "rows" else losses()
    expected = built.metrics["valid"]["windows"]["loss"]
    assert scored.mean() == pytest.approx(expected, abs=1e-4)
    # Parallels are made less likely after training.
    strictness = built.settings.model.model_extra["row_gru"]["strictness"]
    voice_leading.forbid(member, -strictness)
    history = pd.read_csv(built.folder / "reports/training.csv")
    assert losses().mean() == pytest.approx(history["valid_loss"].min(), abs=1e-4)


def test_the_samples_begin_with_the_prompt_and_sound_as_long_as_they_are(built):
    samples = built.folder / "reports/samples"
    kinds = {kind: {path.stem for path in samples.glob(f"*.{kind}")} for kind in ("csv", "wav")}
    details = {f"{name}.details" for name in NAMES}
    assert kinds == {"csv": {*NAMES, *details}, "wav": set(NAMES)}
    grids = {name: chorale.read(samples / f"{name}.csv") for name in NAMES}
    test = chorale.read_split(built.folder / "data/chorales", "test")
    settings = built.settings.compose
    prompted_from = list(test.values())[settings.prompt.chorale]
    assert np.array_equal(grids["original"], prompted_from[: settings.original_rows])
    for name in ("original", *SAMPLES):
        assert np.array_equal(grids[name][: settings.prompt.rows], grids["prompt"])
    rows = [settings.prompt.rows + settings.samples[name].rows for name in SAMPLES]
    assert [len(grids[name]) for name in SAMPLES] == rows
    # One row more, in which the last chord dies away.
    seconds_of_a_row = 60 / (4 * built.settings.render.tempo)
    for name, grid in grids.items():
        rate, sound = wavfile.read(samples / f"{name}.wav")
        assert sound.dtype == np.int16 and np.abs(sound).max() > 1000
        assert len(sound) / rate == pytest.approx((len(grid) + 1) * seconds_of_a_row, abs=0.05)


def test_each_piece_is_a_score_too_and_has_its_probabilities(built):
    for name in NAMES:
        path = built.folder / f"reports/samples/{name}.csv"
        grid = chorale.read(path)
        sounding = np.flatnonzero(grid.any(axis=1))[-1] + 1
        for kind in (".mid", ".musicxml"):
            assert np.array_equal(reading.read(path.with_suffix(kind))[0], grid[:sounding])
        table = pd.read_csv(built.folder / f"reports/probabilities/{name}.csv", index_col="row")
        assert list(table) == list(chorale.VOICES) and len(table) == len(grid)
        tokens = chorale.encode(grid).ravel()
        predicted = probabilities(built.network, tokens[None, :-1])[0]
        own = predicted[np.arange(len(tokens) - 1), tokens[1:]]
        assert np.isnan(table.to_numpy().flat[0])
        np.testing.assert_allclose(table.to_numpy().flat[1:], own, atol=1e-4)


def test_the_listening_page_has_all_of_it(built):
    page = (built.folder / "reports/index.html").read_text()
    for name in NAMES:
        assert f'id="{name}"' in page and f'"{name}-1.svg"' in page
    loss = built.metrics["test"]["pieces"]["loss"]
    assert f"{loss:.3f}" in page and "batch_size: 16" in page


def test_trained_on_the_test_split_there_is_no_test_score(copy):
    reproduce.change(copy / "params.yaml", {"preprocess.train_on_test": True})
    assert running.stage("preprocess", copy) == running.stage("evaluate", copy) == ""
    figures = json.loads((copy / "reports/metrics.json").read_text())
    assert figures["held_out_test"] is False and "test" not in figures
    chorales = {split: sizes["chorales"] for split, sizes in figures["sizes"].items()}
    assert chorales == {"train": 6, "valid": 3}


def test_another_tempo_and_timbre_leave_the_notes_as_they_are(copy):
    before = digests(copy, "reports/samples")
    reproduce.change(copy / "params.yaml", {"render.tempo": 200.0, "render.timbre": "sine"})
    assert running.stage("render", copy) == ""
    after = digests(copy, "reports/samples")
    changed = {name.rsplit(".", 1)[1] for name in before if after[name] != before[name]}
    assert before.keys() == after.keys() and changed == {"wav", "mid", "musicxml"}


def test_bad_input_is_one_sentence_and_nothing_is_lost(copy):
    before = digests(copy, "data/records", "reports")
    path = copy / "data/chorales/train/chorale_001.csv"
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace(",", ";", 1)
    path.write_text("\n".join(lines))
    place = "error: data/chorales/train/chorale_001.csv, row 2 (line 4): 3 columns; expected four"
    assert running.stage("preprocess", copy).startswith(place)

    text = (copy / "params.yaml").read_text()
    for stage, key, value, sentence in (
        ("compose", "compose.prompt.chorale", 3, "error: params.yaml: compose.prompt.chorale is 3"),
        ("compose", "compose.prompt.rows", 999, "error: params.yaml: compose.prompt.rows is 999"),
        ("render", "render.tempo", -1, "error: params.yaml: render.tempo is -1"),
    ):
        reproduce.change(copy / "params.yaml", {key: value})
        assert running.stage(stage, copy).startswith(sentence)
        (copy / "params.yaml").write_text(text)
    (copy / "reports/compositions/pieces.json").write_text("[]")
    assert "run `dvc repro -sf compose`" in running.stage("render", copy)
    del before["reports/compositions/pieces.json"]
    assert before.items() <= digests(copy, "data/records", "reports").items()


def test_a_stages_error_ends_dvc_repro_with_the_sentence_and_no_traceback(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.change({"render.tempo": -1})
    printed = clone.run("dvc", "repro", "--single-item", "--force", "download", code=255)
    assert "error: params.yaml: render.tempo is -1" in printed and "Traceback" not in printed


def test_the_published_edition_comes_with_its_metadata(tmp_path, settings_file, published):
    shutil.copy(settings_file, tmp_path / "params.yaml")
    archive = {
        "download.source": "archive",
        "download.limit": 3,
        "download.archive.urls": [str(published)],
    }
    reproduce.change(tmp_path / "params.yaml", archive)
    without_a_score = [
        row
        for row in music21_corpus.manifest()
        if (row["split"], int(row["index"])) != ("train", 2)
    ]
    with mock.patch.object(music21_corpus, "manifest", lambda: without_a_score):
        assert running.stage("download", tmp_path) == ""
    chorales = tmp_path / "data/chorales"
    corpus = pd.read_csv(chorales / "corpus.csv", dtype=str)
    assert len(corpus) == 3 * 3
    bwv = corpus.set_index(["split", "index"])["bwv"]
    assert bwv["train", "1"] == "385" and pd.isna(bwv["train", "2"])
    grids = {split: chorale.read_split(chorales, split) for split in chorale.SPLITS}
    assert grids["train"][0][0].tolist() == [74, 70, 65, 58]
    assert [len(split) for split in grids.values()] == [3, 3, 3]
    rows = sum(len(grid) for split in grids.values() for grid in split.values())
    assert corpus["rows"].astype(int).sum() == rows
    without_details = []
    for split, index in bwv.index:
        path, grid = chorales / chorale.file_name(split, int(index)), grids[split][int(index)]
        if not details.file_beside(path).exists():
            without_details.append((split, index))
            continue
        struck = details.beside(path, len(grid)).struck
        begins = details.changes(grid) & (grid != chorale.SILENCE)
        assert (struck[begins] == 1).all() and (struck[~begins] == 1).any()
    assert without_details == [("train", "2")]

    before = digests(tmp_path, "data")
    reproduce.change(
        tmp_path / "params.yaml", {"download.archive.urls": ["/nowhere/jsb_chorales.tgz"]}
    )
    sentence = running.stage("download", tmp_path)
    assert "/nowhere/jsb_chorales.tgz" in sentence and "download.source: music21" in sentence
    assert digests(tmp_path, "data") == before
