"""Bach's own grades, for a grade says little by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kantor import chorale
from kantor.judging.grade import FEATURES, Reference


@dataclass(frozen=True)
class Standard:
    """What to compare a grade with: Bach's training split, which the distances are from, and
    the grades (n,) and the nine distances by feature (n,) of his validation split.
    """

    reference: Reference
    grades: np.ndarray
    distances: dict[str, np.ndarray]

    @classmethod
    def fit(cls, training: Sequence[np.ndarray], validation: Sequence[np.ndarray]) -> "Standard":
        """Grade the `validation` grids (rows, 4) by the `training` ones."""
        reference = Reference.fit(training)
        features = [reference.features(grid) for grid in validation]
        distances = {name: np.array([piece[name] for piece in features]) for name in FEATURES}
        return cls(reference, np.array([sum(piece.values()) for piece in features]), distances)

    @classmethod
    def read(cls, folder: Path) -> "Standard":
        """The standard of the edition in a folder; KantorError if it isn't there."""
        training, validation = (chorale.read_split(folder, name) for name in ("train", "valid"))
        return cls.fit(list(training.values()), list(validation.values()))

    @property
    def median(self) -> float:
        """The middle one of Bach's grades."""
        return float(np.median(self.grades))

    def worse(self, grade: float) -> float:
        """The share, 0 to 1, of Bach's validation chorales that have a worse grade."""
        return float((self.grades > grade).mean())

    def compared(self, distances: dict[str, float]) -> list[tuple[str, float, float]]:
        """Feature, its distance and the median of Bach's, by how far it is above that."""
        rows = [
            (name, distances[name], float(np.median(self.distances[name]))) for name in FEATURES
        ]
        return sorted(rows, key=lambda row: row[2] - row[1])
