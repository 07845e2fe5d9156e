"""All figures of sets of pieces, with intervals, and a row of them for each piece.

A figure of a set is a ratio of sums over its pieces, so that long pieces weigh more; what is one
number a piece, such as the grade, is a mean. Its interval is that of the bootstrap over pieces
(Efron and Tibshirani, "An Introduction to the Bootstrap", 1993): 95% of sets drawn from the pieces
with replacement have their figure in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kantor.judging import counterpoint, form, originality
from kantor.judging.grade import FEATURES, Reference

INTERVAL = (2.5, 97.5)  # percentiles
GRADE = "grade"
DISTANCE = "distance_"  # before the name of a part of the grade


@dataclass(frozen=True)
class Set:
    """What the figures of a set are made of: two frames with a row for each piece and a column for
    each figure, the numerators and the denominators.
    """

    numerators: pd.DataFrame
    denominators: pd.DataFrame

    def each(self) -> pd.DataFrame:
        """The figures of each piece alone; nan where there is nothing to count."""
        return self.numerators / self.denominators.where(self.denominators > 0)

    def figures(self) -> pd.Series:
        """The figures of the set; nan where there is nothing to count."""
        sums = self.denominators.sum()
        return self.numerators.sum() / sums.where(sums > 0)

    def intervals(self, draws: int, seed: int) -> pd.DataFrame:
        """A row for each figure that there is: `value`, and `low` and `high` by `draws` bootstrap
        draws.
        """
        values = self.figures().dropna()
        generator = np.random.Generator(np.random.Philox(seed))
        count = len(self.numerators)
        drawn = generator.integers(0, count, (draws, count))
        numerators, denominators = (
            frame[values.index].to_numpy(np.float64)[drawn].sum(1)
            for frame in (self.numerators, self.denominators)
        )
        # A draw that has nothing to count tells nothing.
        denominators[denominators == 0] = np.nan
        low, high = np.nanpercentile(numerators / denominators, INTERVAL, axis=0)
        return pd.DataFrame({"value": values, "low": low, "high": high})


def measure(
    pieces: Sequence[np.ndarray],
    whole: Sequence[bool],
    reference: Reference,
    training: Sequence[np.ndarray],
) -> Set:
    """Measure grids (rows, 4); `whole` says of each whether it was not cut at its end.

    Beside the figures of kantor.judging.counterpoint and kantor.judging.form they are: `copied`,
    the share of 16-row passages that stand in `training` too, `longest_copy` and
    `longest_soprano_copy`, in rows, the `grade`, and as `distance_NAME` its nine parts.
    """
    rows = []
    originals = originality.compare(pieces, training)
    for piece, uncut, original in zip(pieces, whole, originals, strict=True):
        counted = counterpoint.counts(piece)
        scaled = {
            name: (number * counterpoint.scale(name), base)
            for name, (number, base) in counted.items()
        }
        distances = reference.features(piece)
        rows.append(
            scaled
            | form.counts(piece, uncut)
            | {
                "copied": (original.copied, original.passages),
                "longest_copy": (original.longest, 1),
                "longest_soprano_copy": (original.longest_soprano, 1),
                GRADE: (sum(distances.values()), 1),
            }
            | {f"{DISTANCE}{name}": (distances[name], 1) for name in FEATURES}
        )
    frames = [
        pd.DataFrame([{name: pair[part] for name, pair in row.items()} for row in rows])
        for part in (0, 1)
    ]
    return Set(*frames)
