"""The figures in the texts are those of the committed reports, wherever in the texts they stand."""

import io
import json
import re

import pandas as pd
import pytest

from helpers import committed
from helpers.project import PROJECT

TEXTS = {
    str(path.relative_to(PROJECT)): path.read_text("utf-8")
    for pattern in ("README*.md", "docs/*.md", "study/README.md")
    for path in sorted(PROJECT.glob(pattern))
}
METRICS = json.loads(committed.text("reports/metrics.json"))["test"]
RUNS = pd.read_csv(io.StringIO(committed.text("reports/study/runs.csv")))
ARCHIVE = RUNS[RUNS["edition"] == "archive"].drop(columns="edition").groupby("variant")
VARIANTS = ("two_gru", "one_gru", "default_before_plans", "best_before_plans")
FIGURE = re.compile(r"[-+]?\d+(?:[.,]\d+)?")


def plain(text: str) -> str:
    """A text without marks for type, in one line."""
    return " ".join(text.replace("*", "").replace("`", "").split())


def tables() -> list[list[list[str]]]:
    """The tables of all texts, as rows of plain cells."""
    return [
        [[plain(cell) for cell in line.strip(" |").split("|")] for line in table.splitlines()]
        for text in TEXTS.values()
        for table in re.findall(r"(?:^\|.*\|\n)+", text + "\n", re.M)
    ]


def rows(label: str, columns: str = "") -> list[list[str]]:
    """The cells behind a label, a pattern, in all tables with a head that has `columns`."""
    matching = [
        row[1:]
        for table in tables()
        for row in table
        if re.fullmatch(label, row[0]) and re.search(columns, " | ".join(table[0]))
    ]
    assert matching, f"no table has a row {label!r}"
    return matching


def sentences(pattern: str) -> list[tuple[str, ...]]:
    """What a pattern with groups matches in all texts, once at least."""
    everything = plain(" ".join(TEXTS.values()))
    matching = [match.groups() for match in re.finditer(pattern, everything)]
    assert matching, f"no text has {pattern!r}"
    return matching


def rounds_to(shown: str, figure: float) -> bool:
    """Whether a figure is what is shown, to as many digits."""
    number = FIGURE.search(shown)[0].replace(",", ".")
    digits = len(number.partition(".")[2])
    return abs(float(number) - figure) <= 0.5 * 10**-digits + 1e-9


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        ("pieces: the network", METRICS["pieces"]),
        ("pieces, without near-duplicates.*", METRICS["without_near_duplicates"]),
        ("pieces: a bigram per voice", METRICS["baselines"]["bigram"]),
        ("windows: the network", METRICS["windows"]),
    ],
)
def test_the_scores(row, figures):
    kinds = ("loss", "accuracy", "onset_loss", "onset_accuracy")
    for cells in rows(row, "onset loss"):
        for cell, kind in zip(cells, kinds, strict=True):
            assert rounds_to(cell, figures[kind]), f"{row}: {kind}"


def test_repeating_the_row_before():
    accuracy = METRICS["baselines"]["copy"]["accuracy"]
    assert all(rounds_to(cells[1], accuracy) for cells in rows("pieces: repeat the row before"))


def test_the_voices():
    figure = r"(\d\.\d+)"
    losses = [scores["loss"] for scores in METRICS["voices"].values()]
    names = ",? ".join(f"{voice} {figure}" for voice in METRICS["voices"])
    for shown in sentences(names):
        assert all(map(rounds_to, shown, losses))


def mean(variant, figure):
    """Mean over the seeds."""
    return ARCHIVE[figure].mean()[variant]


def spread(variant, figure):
    """Standard deviation over the seeds."""
    return ARCHIVE[figure].std()[variant]


def check(cell, variant, figure):
    shown = FIGURE.findall(cell)
    assert rounds_to(shown[0], mean(variant, figure)), f"{variant}: {figure}"
    assert rounds_to(shown[1], spread(variant, figure)), f"{variant}: {figure}"


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("pieces, nats a note", "test_pieces_loss"),
        ("pieces, accuracy", "test_pieces_accuracy"),
        ("pieces, onset accuracy", "test_pieces_onset_accuracy"),
        ("pieces without near-duplicates, nats a note", "test_without_near_duplicates_loss"),
        ("windows, nats a note", "test_windows_loss"),
        ("windows, accuracy", "test_windows_accuracy"),
        ("validation split: pieces, nats a note", "valid_pieces_loss"),
    ],
)
def test_named_settings_on_the_archive(row, figure):
    assert (ARCHIVE.size().loc[list(VARIANTS)] == 3).all()
    for cells in rows(row, r" \| ".join(VARIANTS)):
        for cell, variant in zip(cells, VARIANTS, strict=True):
            check(cell, variant, figure)


@pytest.mark.parametrize(
    ("row", "variant"),
    [
        (r".*three networks \(best_before_plans\), three seeds", "best_before_plans"),
        (r".*earlier default, three seeds", "default_before_plans"),
    ],
)
def test_the_comparison_with_published_results(row, variant):
    for cells in rows(row):
        check(cells[0], variant, "test_pieces_loss")


def test_the_comparison_in_windows():
    number, share = r"(\d\.\d+)", r"(\d+\.\d+)%"
    pattern = (
        f"best_before_plans has {number} and {share} there, "
        f"the earlier default {number} and {share}, "
        f"the notebook's recipe {number} and {share}"
    )
    figures = [
        factor * mean(variant, f"test_windows_{figure}")
        for variant in ("best_before_plans", "default_before_plans", "notebook")
        for figure, factor in (("loss", 1), ("accuracy", 100))
    ]
    for shown in sentences(pattern):
        assert all(map(rounds_to, shown, figures))


def test_best_now():
    variants = ("best", "best_without_copies", "best_without_keys", "best_all_hear")
    variants += ("best_with_earlier_settings", "best_before_plans")
    first = RUNS[(RUNS["edition"] == "archive") & (RUNS["seed"] == 1)].set_index("variant")
    for label, figure in {
        "pieces, nats a note": "test_pieces_loss",
        "pieces, onset accuracy": "test_pieces_onset_accuracy",
        "windows, nats a note": "test_windows_loss",
        "windows, accuracy": "test_windows_accuracy",
        "validation split: pieces, nats a note": "valid_pieces_loss",
    }.items():
        for cells in rows(label, r" \| ".join(variants)):
            assert all(map(rounds_to, cells, first.loc[list(variants), figure]))
    for (shown,) in sentences(r"three of our networks together have (\d\.\d+) there"):
        assert rounds_to(shown, first.loc["best", "test_pieces_loss"])


def test_the_techniques():
    table = committed.text("reports/study/techniques.md").strip()
    assert any(table in text for text in TEXTS.values()), "no text has reports/study/techniques.md"


def test_the_second_search():
    trials = pd.read_csv(io.StringIO(committed.text("reports/study/search/second/trials.csv")))
    losses = trials[trials["state"] == "complete"]["valid_loss"]
    figure = r"(0\.\d+)"
    for shown, ended in sentences(
        r"had (\d+) trials of the full 40 passes.*?(\d+) of them to the end"
    ):
        assert (int(shown), int(ended)) == (len(trials), len(losses))
    for first, best in sentences(rf"at {figure},? and found {figure}"):
        assert rounds_to(first, losses[0]) and rounds_to(best, losses.min())
    best_five = losses.nsmallest(5)
    for lowest, highest in sentences(rf"best five, {figure} to {figure}"):
        assert rounds_to(lowest, best_five.iloc[0]) and rounds_to(highest, best_five.iloc[-1])


@pytest.mark.parametrize("name", [name for name in TEXTS if re.fullmatch(r"README\..*\.md", name)])
def test_a_translation_has_the_figures_of_the_scores(name):
    figures = {}
    for which in ("README.md", name):
        lines = [line for line in TEXTS[which].splitlines() if line.startswith("|")]
        numbers = [re.findall(r"\d+[.,]\d+", line) for line in lines]
        figures[which] = [
            [cell.replace(",", ".") for cell in row] for row in numbers if len(row) == 4
        ]
    assert figures["README.md"] and figures[name] == figures["README.md"]


JUDGED = pd.read_csv(io.StringIO(committed.text("reports/music/figures.csv")), index_col="figure")
JUDGED_SETS = ("bach_test", "bach_valid", "plain", "preferred", "bigram", "shuffled", "copied")


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("parallel fifths and octaves, per 100 onsets", "parallels"),
        ("direct fifths and octaves, per 100 onsets", "direct"),
        ("notes out of range, per 100 onsets", "range"),
        ("windows in the opening key", "key_kept"),
        ("phrase ends whole bars apart", "bar_phase"),
        ("proper ends", "proper_ends"),
        ("beats with a semitone struck", "struck_semitones"),
        ("beats that are triads", "triads"),
        ("pieces with a standstill", "standstill"),
        ("16-row passages copied", "copied"),
        (r"grade \(mean\)", "grade"),
    ],
)
def test_the_music(row, figure):
    for cells in rows(row, "Bach, validation"):
        for cell, name in zip(cells, JUDGED_SETS, strict=True):
            assert rounds_to(cell, JUDGED[name][figure]), f"{row}: {name}"


def test_the_judge_finds_no_difference_within_bach_and_one_where_there_is():
    music = json.loads(committed.text("reports/music.json"))
    within = music["bach_valid"]
    assert within["auc"]["low"] < 0.5 < within["auc"]["high"]
    assert within["grade"]["low"] < within["grade"]["bach"] < within["grade"]["high"]
    assert music["preferred"]["grade"]["value"] <= music["plain"]["grade"]["value"]
    for shown in sentences(r"tells preferred pieces from Bach's with an AUC of (\d\.\d+)"):
        assert rounds_to(shown[0], music["preferred"]["auc"]["value"])
    for shown in sentences(r"(\d+\.\d+)% of the rows in which two voices move have parallels"):
        assert rounds_to(shown[0], 100 * music["one_step"]["parallels"])
