"""Where a value stays: the held notes of a voice."""

from itertools import pairwise

import numpy as np


def stretches(values: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of each stretch of equal values; none of an empty array."""
    changes = np.flatnonzero(np.diff(values)) + 1
    return list(pairwise([0, *changes.tolist(), len(values)])) if len(values) else []
