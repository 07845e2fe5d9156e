"""The figures in the READMEs are those of the committed reports."""

import json
import re

import pandas as pd
import pytest

from conftest import PROJECT

README = (PROJECT / "README.md").read_text()
STUDY = (PROJECT / "study/README.md").read_text()
METRICS = json.loads((PROJECT / "reports/metrics.json").read_text())["test"]
RUNS = pd.read_csv(PROJECT / "reports/study/runs.csv")
ARCHIVE = RUNS[RUNS["edition"] == "archive"].drop(columns="edition").groupby("variant")


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        (r"\*\*pieces\*\*: the network|pieces: the network", METRICS["pieces"]),
        ("pieces, without near-duplicates of training pieces", METRICS["without_near_duplicates"]),
        ("pieces: a bigram per voice", METRICS["baselines"]["bigram"]),
        (r"\*\*windows\*\*: the network", METRICS["windows"]),
    ],
)
def test_the_scores(row, figures):
    (shown,) = re.findall(rf"^\| (?:{row}) \|(.*)\|$", README, re.M)
    cells = [float(cell.strip(" *")) for cell in shown.split("|")]
    kinds = ("loss", "accuracy", "onset_loss", "onset_accuracy")
    for cell, kind in zip(cells, kinds, strict=True):
        assert cell == pytest.approx(figures[kind], abs=0.0051 if kind == "onset_loss" else 0.00051)


def test_the_voices():
    told = [f"{voice} {of['loss']:.3f}" for voice, of in METRICS["voices"].items()]
    assert f"By voice: {', '.join(told)} nats" in README.replace("\n", " ")


def shown(variant, figure, digits=4):
    """Mean and standard deviation over the seeds, as the READMEs show them."""
    of = ARCHIVE[figure].agg(["mean", "std"]).loc[variant]
    return f"{of['mean']:.{digits}f} ± {of['std']:.4f}"


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("pieces, nats a note", "test_pieces_loss"),
        ("pieces, accuracy", "test_pieces_accuracy"),
        ("pieces, onset accuracy", "test_pieces_onset_accuracy"),
        (
            "pieces without near-duplicates, nats a note",
            "test_without_near_duplicates_loss",
        ),
        ("windows, nats a note", "test_windows_loss"),
        ("windows, accuracy", "test_windows_accuracy"),
        ("validation split: pieces, nats a note", "valid_pieces_loss"),
    ],
)
def test_named_settings_on_the_archive(row, figure):
    variants = ("two_gru", "one_gru", "default", "best")
    assert (ARCHIVE.size().loc[list(variants)] == 3).all()
    cells = " | ".join(shown(variant, figure) for variant in variants)
    assert f"\n| {row} | {cells} |\n" in STUDY


def test_the_comparison_with_published_results():
    plain = README.replace("*", "")
    for name, variant in (("three networks (`best`)", "best"), ("default", "default")):
        assert re.search(
            rf"{re.escape(name)}, three seeds \| {shown(variant, 'test_pieces_loss', 3)}", plain
        )
    windows = ARCHIVE["test_windows_loss"].mean(), ARCHIVE["test_windows_accuracy"].mean()
    told = [
        f"{windows[0][of]:.3f} and {windows[1][of]:.1%}" for of in ("best", "default", "notebook")
    ]
    assert (
        f"`best` has {told[0]} there, the default {told[1]}, the notebook's recipe {told[2]}"
        in plain.replace("\n", " ")
    )


def test_the_second_search():
    trials = pd.read_csv(PROJECT / "reports/study/search/second/trials.csv")
    losses = trials[trials["state"] == "complete"]["valid_loss"]
    told = STUDY.replace("\n", " ")
    assert f"had {len(trials)} trials of the full 40 passes" in told
    assert f"{len(losses)} of them to the end" in told
    assert f"at {losses[0]:.4f}, and found {losses.min():.4f}" in told
    assert "The best five, {:.4f} to {:.4f},".format(*losses.nsmallest(5).iloc[[0, -1]]) in told
