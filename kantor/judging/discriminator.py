"""Can Bach be told from others by the figures of a piece alone, and by which?

A forest of random trees (Breiman, "Random Forests", 2001) learns to tell two sets of pieces apart
from four fifths of them and judges the last fifth, five times over. The AUC is how often a piece of
the other set looks less like Bach than one of his does: 0.5 means that the two can't be told apart,
1 that they always can. Trees only compare and count, so that the bits are the same on every
processor.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from kantor.judging.figures import INTERVAL

FOLDS = 5
TREES = 300
SMALLEST_LEAF = 3
REPEATS = 3  # with other folds each time; their mean counts


class Auc(NamedTuple):
    """The area under the curve, and its bootstrap interval over pieces."""

    value: float
    low: float
    high: float


def compare(bach: pd.DataFrame, other: pd.DataFrame, draws: int, seed: int) -> Auc | None:
    """How well a forest tells two frames apart, pieces by figures; nan is a value like others.
    None if there are too few pieces to learn from.
    """
    if min(len(bach), len(other)) < FOLDS:
        return None
    features = pd.concat([bach, other]).to_numpy(np.float64)
    labels = np.repeat([0, 1], [len(bach), len(other)])
    scores = np.zeros(len(labels))
    for repeat in range(REPEATS):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed + repeat)
        for learnt, judged in folds.split(features, labels):
            forest = RandomForestClassifier(
                TREES, min_samples_leaf=SMALLEST_LEAF, random_state=seed + repeat
            )
            forest.fit(features[learnt], labels[learnt])
            scores[judged] += forest.predict_proba(features[judged])[:, 1]
    ours, theirs = scores[labels == 1], scores[labels == 0]
    generator = np.random.Generator(np.random.Philox(seed))
    drawn = [
        area(generator.choice(theirs, len(theirs)), generator.choice(ours, len(ours)))
        for _ in range(draws)
    ]
    low, high = np.percentile(drawn, INTERVAL)
    return Auc(area(theirs, ours), float(low), float(high))


def ranked(bach: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Which single figures give the other set away: a row for each, the worst first.

    Columns: `figure`; `auc`, by that figure alone, 0.5 to 1; and the medians of both sets, `bach`
    and `other`. Pieces without the figure don't count.
    """
    rows = []
    for name in bach.columns:
        theirs, ours = bach[name].dropna().to_numpy(), other[name].dropna().to_numpy()
        if len(theirs) and len(ours):
            one = area(theirs, ours)
            rows.append((name, max(one, 1 - one), np.median(theirs), np.median(ours)))
    frame = pd.DataFrame(rows, columns=["figure", "auc", "bach", "other"])
    return frame.sort_values("auc", ascending=False, kind="stable", ignore_index=True)


def area(low: np.ndarray, high: np.ndarray) -> float:
    """How often one of `high` (n,) is larger than one of `low` (m,); ties count half."""
    ranks = rankdata(np.concatenate([low, high]))[len(low) :]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(low) * len(high)))
