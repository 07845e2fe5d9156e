"""The last stage of study/dvc.yaml: judge each technique by what its runs say.

    python -m study.report

Of a technique and its base the losses are compared seed by seed, in nats a note on the notebook's
windows. With their mean difference stands the 95% interval of the t-test for pairs. The verdict
goes by the validation split alone; the test split is for the reader.
"""

import itertools
import json
from collections.abc import Set

import matplotlib.pyplot as plt
import pandas as pd
from scipy import stats

import study
from kantor.system import atomic, errors
from study import drawing, run
from study.technique import RESULTS, SECONDS

REPORT = run.PROJECT / "reports/study"
ABOUT = """\
Losses are in nats a note on the notebook's windows, less is better. A base has the mean of its
three seeds and, after ±, their standard deviation; a technique, how much more or less than its base
that is, seed by seed. *time* is that of the fastest training. The verdict goes by the validation
split and the 95% interval in brackets (t-test for pairs). Less than 0.005 matters to nobody, if the
interval stays within twice that; more helps or hurts, if the interval leaves out 0; the rest three
seeds can't tell. What acts against overfitting (3, 7, 11) can show its price within the nine epochs
of `notebook_short`, but not all of its use.
"""
LINEAR = 0.1  # up to this many nats the plot's axis is linear, beyond it logarithmic
MATTERS = 0.005  # nats a note; less, under a hundredth of the loss, does nobody any good


def main() -> None:
    techniques = study.techniques()
    runs, curves = read({*techniques, *(base for base, _ in techniques.values())})
    judged = pd.DataFrame(judge(runs, name, *told) for name, told in techniques.items())
    with atomic.output(REPORT / "techniques.csv") as fresh:
        judged.to_csv(fresh, index=False, float_format="%.6g", lineterminator="\n")
    with atomic.output(REPORT / "curves.csv") as fresh:
        curves.to_csv(fresh, index=False, lineterminator="\n")
    with atomic.output(REPORT / "techniques.svg") as fresh:
        drawing.write(draw(judged), fresh)
    # With times, which differ from run to run; so it is no output of DVC.
    with atomic.output(REPORT / "techniques.md") as fresh:
        fresh.write_text(table(runs, judged, seconds()))


def read(variants: Set[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Loss and accuracy on the windows of both splits, a row a run; and its learning curve, a row
    an epoch. KantorError says which variants have no results.
    """
    rows, curves = [], []
    for path in sorted(RESULTS.glob("*/metrics.json")):
        metrics = json.loads(path.read_text())
        variant, seed = path.parent.name.rsplit("-", 1)
        which = {"variant": variant, "seed": int(seed)}
        figures = itertools.product(("valid", "test"), ("loss", "accuracy"))
        rows.append(
            which | {f"{split}_{figure}": metrics[split][figure] for split, figure in figures}
        )
        curve = pd.read_csv(path.with_name("training.csv"))
        curves.append(curve[["epoch", "loss", "valid_loss"]].assign(**which))
    missing = variants - {row["variant"] for row in rows}
    if missing:
        raise errors.KantorError(
            f"{RESULTS}: no results of {', '.join(sorted(missing))}; run `dvc repro study/dvc.yaml`"
        )
    columns = ["variant", "seed", "epoch", "loss", "valid_loss"]
    return pd.DataFrame(rows).set_index(["variant", "seed"]), pd.concat(curves)[columns]


def seconds() -> pd.DataFrame:
    """How long the trainings took, as far as they were run and not taken from DVC's cache."""
    return (
        pd.read_csv(SECONDS) if SECONDS.exists() else pd.DataFrame(columns=["variant", "seconds"])
    )


def judge(runs: pd.DataFrame, name: str, base: str, title: str) -> dict[str, object]:
    """The differences of a technique to its base, and what follows from them."""
    ours, theirs = runs.loc[name], runs.loc[base]
    judged = {"variant": name, "base": base, "technique": title, "seeds": len(ours)}
    for figure in ("valid_loss", "test_loss", "test_accuracy"):
        difference = ours[figure] - theirs[figure]
        judged[figure], judged[f"{figure}_spread"] = difference.mean(), difference.std()
        judged[f"{figure}_low"], judged[f"{figure}_high"] = interval(ours[figure], theirs[figure])
    low, high = judged["valid_loss_low"], judged["valid_loss_high"]
    return judged | {"verdict": verdict(judged["valid_loss"], low, high)}


def interval(ours: pd.Series, theirs: pd.Series) -> tuple[float, float]:
    """The 95% interval of their mean difference, by seed: Student's, for pairs (Biometrika 6,
    1908). The seeds are pairs, since both begin with its weights and its order of the data.
    """
    result = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    return result.low, result.high


def verdict(difference: float, low: float, high: float) -> str:
    """What to say of a difference, with its interval, in nats a note.

    A small one does not matter, if the interval leaves no room for more than twice that. Another
    one helps or hurts, if the interval leaves out 0. All else is not clear.
    """
    if abs(difference) < MATTERS:
        return "does not matter" if max(-low, high) < 2 * MATTERS else "not clear"
    if low < 0 < high:
        return "not clear"
    return "helps" if difference < 0 else "hurts"


def table(runs: pd.DataFrame, judged: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """The report as Markdown."""
    mean, spread = runs.groupby("variant").mean(), runs.groupby("variant").std()
    time = seconds.groupby("variant")["seconds"].min()

    def took(variant: str) -> str:
        measured = variant in time.index and pd.notna(time[variant])
        return f"{time[variant]:.0f} s" if measured else "not known"

    lines = [ABOUT]
    for base, techniques in judged.groupby("base", sort=False):
        lines += [
            f"| against `{base}` | validation loss | test loss | test accuracy | time | verdict |",
            "|---|---|---|---|---|---|",
            f"| *{base} itself* | {mean.valid_loss[base]:.4f} ± {spread.valid_loss[base]:.4f} "
            f"| {mean.test_loss[base]:.4f} ± {spread.test_loss[base]:.4f} "
            f"| {mean.test_accuracy[base]:.4f} ± {spread.test_accuracy[base]:.4f} "
            f"| {took(base)} | |",
        ]
        lines += [
            f"| {row.technique} | {row.valid_loss:+.4f} ± {row.valid_loss_spread:.4f} "
            f"| {row.test_loss:+.4f} ± {row.test_loss_spread:.4f} "
            f"| {row.test_accuracy:+.4f} ± {row.test_accuracy_spread:.4f} "
            f"| {took(row.variant)} | {sentence(row)} |"
            for row in techniques.itertuples()
        ]
        lines.append("")
    return "\n".join(lines)


def sentence(row: tuple) -> str:
    """The verdict on a technique, with what it goes by."""
    words = {
        "helps": "Helps: the loss is lower",
        "hurts": "Hurts: the loss is higher",
        "does not matter": "Does not matter: the loss is about the same",
        "not clear": f"Not clear from {row.seeds} seeds",
    }
    return f"{words[row.verdict]} ({row.valid_loss_low:+.3f} to {row.valid_loss_high:+.3f})."


def draw(judged: pd.DataFrame) -> plt.Figure:
    """Mean differences with their intervals, a panel a base and in it a line a technique."""
    panels = list(judged.groupby("base", sort=False))
    sizes = [len(techniques) + 1 for _, techniques in panels]
    figure, all_axes = plt.subplots(
        len(panels),
        figsize=(9, 0.38 * sum(sizes) + 1.4),
        height_ratios=sizes,
        sharex=True,
        squeeze=False,
    )
    for axes, (base, techniques) in zip(all_axes.flat, panels, strict=True):
        places = range(len(techniques))
        for split, shift, colour in (("valid", -0.15, "#1f5fa8"), ("test", 0.15, "#c8662b")):
            axes.errorbar(
                techniques[f"{split}_loss"],
                [place + shift for place in places],
                xerr=techniques[f"{split}_loss_high"] - techniques[f"{split}_loss"],
                fmt="o",
                color=colour,
                capsize=3,
                label={"valid": "validation", "test": "test"}[split],
            )
        axes.axvline(0, color="grey", linewidth=1)
        axes.set_yticks(places, techniques["technique"], fontsize=8)
        axes.set_ylim(len(techniques) - 0.5, -0.5)
        axes.set_title(f"against {base}", fontsize=8)
    # Most differences are a hundredth of the largest.
    axes.set_xscale("symlog", linthresh=LINEAR)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("nats a note more than the base, and 95% interval")
    all_axes[0, 0].legend()
    return figure


if __name__ == "__main__":
    errors.run(main)
