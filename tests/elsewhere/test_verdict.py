import pytest

from kantor.elsewhere import verdict
from kantor.system.errors import KantorError

QR, SUM, STEP = ("control", "QR"), ("numpy", "sum"), ("gru", "states")
HERE = {QR: "a", SUM: "b", STEP: "c"}
ASKED = {"zen3": (400, 90)}


def judge(there: dict, counts: dict = ASKED, wide: bool = True) -> None:
    verdict.judge({"here": HERE, "zen3": there}, counts, wide=wide)


def test_the_same_results_are_green_if_the_control_differs():
    judge(HERE | {QR: "other"})


@pytest.mark.parametrize(
    ("there", "counts", "wide", "words"),
    [
        (HERE | {QR: "other", SUM: "other"}, ASKED, True, "1 results differ, of numpy"),
        ({QR: "other", SUM: "b"}, ASKED, True, "1 results differ, of gru"),
        (HERE, ASKED, True, "were not told apart"),
        (HERE | {QR: "other"}, {"zen3": (0, 0)}, True, "no library asked"),
        (HERE | {QR: "other"}, {"zen3": (400, 0)}, True, "no library asked"),
        (HERE | {QR: "other"}, ASKED, False, "AVX-512 was not shown"),
    ],
    ids=["differs", "missing", "control", "not replaced", "not asked", "no AVX-512"],
)
def test_what_differs_or_could_not_have_been_seen_is_red(there, counts, wide, words):
    with pytest.raises(KantorError, match=words):
        judge(there, counts, wide)


def test_the_table_counts_what_differs_and_names_who_agrees():
    columns = {
        "here": HERE,
        "zen3": HERE | {QR: "other"},
        "haswell": HERE | {STEP: "other", QR: "other"},
    }
    lines = [line.split() for line in verdict.table(columns).splitlines()]
    assert lines == [
        ["here", "zen3", "haswell"],
        ["control", "(expected)", "1", "1", "differ", "1", "differ"],
        ["numpy", "1", "same", "same"],
        ["gru", "1", "same", "1", "differ"],
    ]
    assert verdict.names(columns) == "gru: states  (here, zen3) (haswell)"
