"""The last stage of study/dvc.yaml: judge each technique by what its runs say.

    python -m study.report

A technique and its base are compared seed by seed, in nats a note on the notebook's windows.
With the mean difference stands the 95% interval that Student's distribution gives for three
seeds. The verdict goes by the validation split alone; the test split is for the reader.
"""

import json

import matplotlib.pyplot as plt
import pandas as pd
from scipy import stats

import study
from kantor import errors, files
from study import drawing, run
from study.technique import RESULTS, SECONDS

REPORT = run.PROJECT / "reports/study"
MATTERS = 0.003  # nats a note; what is surely less does nobody any good


def main() -> None:
    runs = read()
    judged = pd.DataFrame(judge(runs, name, *of) for name, of in study.techniques().items())
    with files.whole(REPORT / "techniques.csv") as fresh:
        judged.to_csv(fresh, index=False, float_format="%.6g", lineterminator="\n")
    with files.whole(REPORT / "techniques.svg") as fresh:
        drawing.write(draw(judged), fresh)
    # With times, which differ from run to run; so it is no output of DVC.
    with files.whole(REPORT / "techniques.md") as fresh:
        fresh.write_text(table(runs, judged, pd.read_csv(SECONDS)))


def read() -> pd.DataFrame:
    """Loss and accuracy on the windows of both splits, a row a run."""
    rows = []
    for path in sorted(RESULTS.glob("*/metrics.json")):
        metrics = json.loads(path.read_text())
        variant, seed = path.parent.name.rsplit("-", 1)
        row = {"variant": variant, "seed": int(seed)}
        for split in ("valid", "test"):
            for figure in ("loss", "accuracy"):
                row[f"{split}_{figure}"] = metrics[split]["windows"][figure]
        rows.append(row)
    return pd.DataFrame(rows).set_index(["variant", "seed"])


def judge(runs: pd.DataFrame, name: str, base: str, title: str) -> dict[str, object]:
    """The differences of a technique to its base, and what follows from them."""
    differences = (runs.loc[name] - runs.loc[base]).dropna()
    judged = {"variant": name, "base": base, "technique": title, "seeds": len(differences)}
    for figure in ("valid_loss", "test_loss", "test_accuracy"):
        judged[figure] = differences[figure].mean()
        judged[f"{figure}_spread"] = differences[figure].std()
        judged[f"{figure}_interval"] = interval(differences[figure])
    return judged | {"verdict": verdict(judged["valid_loss"], judged["valid_loss_interval"])}


def interval(differences: pd.Series) -> float:
    """Half of the 95% interval around their mean."""
    count = len(differences)
    return stats.t.ppf(0.975, count - 1) * differences.std() / count**0.5


def verdict(difference: float, half: float) -> str:
    """helps, hurts, does not matter; or not clear, if the interval allows for several."""
    if difference + half < -MATTERS:
        return "helps"
    if difference - half > MATTERS:
        return "hurts"
    if abs(difference) + half < 2 * MATTERS:
        return "does not matter"
    return "not clear"


def table(runs: pd.DataFrame, judged: pd.DataFrame, seconds: pd.DataFrame) -> str:
    """The report as Markdown."""
    mean, spread = runs.groupby("variant").mean(), runs.groupby("variant").std()
    time = seconds.groupby("variant")["seconds"].mean()

    def took(variant: str) -> str:
        known = variant in time.index and pd.notna(time[variant])
        return f"{time[variant]:.0f} s" if known else "not known"

    lines = []
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
            f"| {of.technique} | {of.valid_loss:+.4f} ± {of.valid_loss_spread:.4f} "
            f"| {of.test_loss:+.4f} ± {of.test_loss_spread:.4f} "
            f"| {of.test_accuracy:+.4f} ± {of.test_accuracy_spread:.4f} "
            f"| {took(of.variant)} | {sentence(of)} |"
            for of in techniques.itertuples()
        ]
        lines.append("")
    return "\n".join(lines)


def sentence(of: tuple) -> str:
    """The verdict on a technique, with what it goes by."""
    low, high = of.valid_loss - of.valid_loss_interval, of.valid_loss + of.valid_loss_interval
    said = {
        "helps": "Helps: the loss is lower",
        "hurts": "Hurts: the loss is higher",
        "does not matter": "Does not matter: the loss is about the same",
        "not clear": f"Not clear from {of.seeds} seeds",
    }
    return f"{said[of.verdict]} ({low:+.3f} to {high:+.3f} with 95% confidence)."


def draw(judged: pd.DataFrame) -> plt.Figure:
    """Mean differences with their intervals, a line a technique."""
    figure, axes = plt.subplots(figsize=(9, 0.38 * len(judged) + 1.4))
    places = range(len(judged))
    for split, shift, colour in (("valid", -0.15, "#1f5fa8"), ("test", 0.15, "#c8662b")):
        axes.errorbar(
            judged[f"{split}_loss"],
            [place + shift for place in places],
            xerr=judged[f"{split}_loss_interval"],
            fmt="o",
            color=colour,
            capsize=3,
            label={"valid": "validation", "test": "test"}[split],
        )
    axes.axvline(0, color="grey", linewidth=1)
    of_default = judged["base"].eq("default_short").map({True: "default: ", False: ""})
    axes.set_yticks(places, of_default + judged["technique"], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("nats a note more than the base: mean of the seeds and 95% interval")
    axes.legend()
    return figure


if __name__ == "__main__":
    errors.run(main)
