"""The whole pipeline on a tiny setting, in a temporary clone, as a user runs it."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from clone import Clone
from scipy.io import wavfile

from kantor import chorale
from kantor.data import records
from kantor.network import model, model_file
from kantor.notation import score
from kantor.training import examples

pytestmark = pytest.mark.xdist_group("pipeline")  # they share what is built once


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    clone = Clone(tmp_path_factory.mktemp("clone") / "kantor")
    clone.shrink()
    clone.run("dvc", "repro")
    return clone


def metrics(clone: Clone) -> dict:
    return json.loads((clone.folder / "reports/metrics.json").read_text())


def test_every_output_is_there(built):
    catalogue = pd.read_csv(built.folder / "data/chorales/corpus.csv")
    assert catalogue["split"].value_counts().to_dict() == {"train": 3, "valid": 3, "test": 3}
    dataset = json.loads((built.folder / "data/records/dataset.json").read_text())
    assert dataset["vocabulary"] == 47 and dataset["window_notes"] == 68
    assert dataset["splits"]["train"]["rows"] == catalogue.query("split == 'train'")["rows"].sum()
    assert (built.folder / "models/chorale.keras").exists()
    assert not (built.folder / "models/checkpoints").exists()
    history = pd.read_csv(built.folder / "reports/training.csv")
    assert history["epoch"].tolist() == [1, 2, 3] and (history > 0).all(axis=None)
    figures = metrics(built)
    assert figures["held_out_test"] is True
    assert figures["test"]["pieces"]["notes"] == dataset["splits"]["test"]["notes"] - 3
    assert not (built.folder / "study/results").exists(), "dvc repro leaves the study alone"
    for name in ("place", "voices", "intervals"):
        assert len(pd.read_csv(built.folder / f"reports/evaluation/{name}.csv")) >= 4


def test_training_and_evaluate_score_the_same_model_alike(built):
    network = model_file.load(built.folder / "models/chorale.keras")
    recall, (core,) = model.parts(network)
    windows = list(records.read(built.folder / "data/records/valid_windows.tfrecord"))
    inputs, rows = examples.Windows(windows, recall).all()
    given = np.take_along_axis(core.predict(inputs, verbose=0), rows[..., None], axis=-1)
    losses = -np.log(given.reshape(len(rows), -1))
    history = pd.read_csv(built.folder / "reports/training.csv")
    assert losses.mean() == pytest.approx(history["valid_loss"].min(), abs=1e-4)
    scored = metrics(built)["valid"]["windows"]["loss"]
    assert losses[:, 1:].mean() == pytest.approx(scored, abs=1e-4)


def test_the_samples_begin_with_the_prompt_and_sound_as_long_as_they_are(built):
    samples = built.folder / "reports/samples"
    assert sorted(path.stem for path in samples.glob("*.wav")) == sorted(
        path.stem for path in samples.glob("*.csv")
    )
    grids = {path.stem: chorale.read(path) for path in samples.glob("*.csv")}
    assert grids.keys() == {
        "prompt", "original", "cold", "medium", "hot", "greedy", "train_000",
    }  # fmt: skip
    original = chorale.read_split(built.folder / "data/chorales", "test")
    assert np.array_equal(grids["original"], list(original.values())[2][:64])
    for name in ("original", "cold", "medium", "hot", "greedy"):
        assert np.array_equal(grids[name][:16], grids["prompt"])
    assert [len(grids[name]) for name in ("prompt", "cold", "greedy")] == [16, 20, 18]
    for name, grid in grids.items():
        rate, sound = wavfile.read(samples / f"{name}.wav")
        assert sound.dtype == np.int16 and np.abs(sound).max() > 1000
        assert len(sound) / rate == pytest.approx((len(grid) + 1) * 60 / 160, abs=0.05)


def test_each_piece_is_a_score_too_and_has_its_probabilities(built):
    samples = built.folder / "reports/samples"
    network = model_file.load(built.folder / "models/chorale.keras")
    for path in samples.glob("*.csv"):
        grid = chorale.read(path)
        sounding = np.flatnonzero(grid.any(axis=1))[-1] + 1
        for kind in (".mid", ".musicxml"):
            assert np.array_equal(score.read(path.with_suffix(kind)), grid[:sounding])
        table = pd.read_csv(built.folder / f"reports/probabilities/{path.name}", index_col="row")
        assert list(table) == list(chorale.VOICES) and len(table) == len(grid)
        arpeggio = chorale.encode(grid)
        predicted = network.predict(arpeggio[None, :-1], verbose=0)[0]
        given = predicted[np.arange(len(arpeggio) - 1), arpeggio[1:]]
        assert np.isnan(table.to_numpy().flat[0])
        np.testing.assert_allclose(table.to_numpy().flat[1:], given, atol=1e-4)


def test_the_listening_page_has_all_of_it(built):
    page = (built.folder / "reports/index.html").read_text()
    for name in ("prompt", "original", "cold", "medium", "hot", "greedy", "train_000"):
        assert f'id="{name}"' in page and f'"{name}-1.svg"' in page
    loss = metrics(built)["test"]["pieces"]["loss"]
    assert f"{loss:.3f}" in page and "batch_size: 16" in page


def test_with_nothing_changed_nothing_runs(built):
    assert "Data and pipelines are up to date" in built.run("dvc", "repro")


def test_dvcs_own_commands_tell_and_draw(built):
    settings = (built.folder / "params.yaml").read_text()
    built.commit("Build the tiny setting")
    built.change({"render.tempo": 200.0, "train.batch_size": 64})
    changed = built.run("dvc", "params", "diff", "--md")
    assert "| train.batch_size | 16" in changed and "| render.tempo" in changed
    (built.folder / "params.yaml").write_text(settings)
    built.run("dvc", "exp", "run", "-S", "train.epochs=2")
    assert "test.pieces.loss" in built.run("dvc", "metrics", "diff", "--md")
    built.run("dvc", "plots", "show")
    page = (built.folder / "dvc_plots/index.html").read_text()
    plots = yaml.safe_load((built.folder / "dvc.yaml").read_text())["plots"]
    places = [page.find(title) for plot in plots for title in plot]
    assert len(places) == 7 and -1 not in places and places == sorted(places)
    built.run("dvc", "plots", "diff", "HEAD", "--out", "diff_plots")
    both = (built.folder / "diff_plots/index.html").read_text()
    assert '"rev": "HEAD"' in both and '"rev": "workspace"' in both
    assert "train" in built.run("dvc", "dag")
    built.run("git", "checkout", "--quiet", "--", ".")
    built.run("dvc", "checkout", "--force", "dvc.yaml")


def test_going_back_to_earlier_settings_trains_nothing(built):
    before = built.digests("models", "reports")
    settings = (built.folder / "params.yaml").read_text()
    built.change({"train.epochs": 2})
    # That may have been trained above, which is no matter here.
    built.run("dvc", "repro")
    assert built.digests("models", "reports") != before
    (built.folder / "params.yaml").write_text(settings)
    said = built.run("dvc", "repro")
    assert "Stage 'train' is cached" in said and "Running stage 'train'" not in said
    assert built.digests("models", "reports") == before


def test_trained_on_the_test_split_there_is_no_test_score(built, tmp_path):
    clone = Clone(tmp_path / "trained_on_test")
    shutil.copytree(built.folder / "data/chorales", clone.folder / "data/chorales")
    for name in ("models/chorale.keras", "reports/training.csv"):
        (clone.folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(built.folder / name, clone.folder / name)
    clone.shrink()
    clone.change({"preprocess.train_on_test": True})
    clone.stage("preprocess")
    clone.stage("evaluate")
    figures = metrics(clone)
    assert figures["held_out_test"] is False and "test" not in figures
    assert {split: of["chorales"] for split, of in figures["sizes"].items()} == {
        "train": 6,
        "valid": 3,
    }


def test_the_published_edition_comes_with_what_is_known_of_it(tmp_path, published):
    clone = Clone(tmp_path / "kantor")
    clone.change(
        {
            "download.source": "archive",
            "download.limit": 27,  # the 26th training chorale has no score to tell of it
            "download.archive.urls": [str(published)],
        }
    )
    clone.stage("download")
    catalogue = pd.read_csv(clone.folder / "data/chorales/corpus.csv", dtype=str)
    assert len(catalogue) == 3 * 27
    known = catalogue.set_index(["split", "index"])["bwv"]
    assert known["train", "1"] == "385" and pd.isna(known["train", "25"])
    grids = chorale.read_split(clone.folder / "data/chorales", "train")
    assert grids[0][0].tolist() == [74, 70, 65, 58] and len(grids) == 27
    assert catalogue["rows"].astype(int).sum() == sum(
        len(grid)
        for split in chorale.SPLITS
        for grid in chorale.read_split(clone.folder / "data/chorales", split).values()
    )

    before = clone.digests("data")
    clone.change({"download.archive.urls": ["/nowhere/jsb_chorales.tgz"]})
    said = clone.stage("download", code=1)
    assert "/nowhere/jsb_chorales.tgz" in said and "download.source: music21" in said
    assert clone.digests("data") == before


def test_bad_input_is_one_sentence_and_nothing_is_lost(built):
    before = built.digests("data/records", "reports/samples")
    broken = built.folder / "data/chorales/train/chorale_001.csv"
    text = broken.read_text()
    lines = text.splitlines()
    lines[3] = lines[3].replace(",", ";", 1)
    broken.write_text("\n".join(lines))
    said = built.stage("preprocess", code=1)
    assert "error: data/chorales/train/chorale_001.csv, row 2 (line 4): 3 columns" in said
    assert "Traceback" not in said
    broken.write_text(text)
    settings = (built.folder / "params.yaml").read_text()
    built.change({"render.prompt.chorale": 3})
    assert "render.prompt.chorale is 3" in built.stage("render", code=1)
    built.change({"render.tempo": -1})
    assert "error: params.yaml: render.tempo is -1" in built.stage("render", code=1)
    (built.folder / "params.yaml").write_text(settings)
    assert built.digests("data/records", "reports/samples") == before
