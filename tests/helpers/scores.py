"""Scores of made-up music."""

from pathlib import Path

import numpy as np

from kantor.notation import score

IN_C = score.Setting(0, "major")


def chord(rows: int, *pitches: int) -> np.ndarray:
    """A grid of one chord, soprano first, held for some rows."""
    return np.array([pitches] * rows)


def written(
    folder: Path, grid: np.ndarray, setting: score.Setting = IN_C, tempo: float = 40.0
) -> tuple[Path, Path]:
    """Write a grid as a score; the paths of the MusicXML and the MIDI file."""
    path = folder / "piece"
    score.write(score.build(grid, setting, "A title", "A composer", tempo), path)
    return path.with_suffix(".musicxml"), path.with_suffix(".mid")
