"""What is asked of a piece beside the notes so far: an int32 array (rows, 6)."""

import numpy as np

UNKNOWN = -1
COLUMNS = ("tonic", "mode", "bar", "place", "phrase", "left")
TONIC, MODE, BAR, PLACE, PHRASE, LEFT = range(len(COLUMNS))


def unknown(rows: int) -> np.ndarray:
    """A plan of which nothing is known."""
    return np.full((rows, len(COLUMNS)), UNKNOWN, np.int32)
