"""Plots as SVG files, the same bytes for the same figures."""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

matplotlib.use("Agg")
matplotlib.rcParams |= {"svg.hashsalt": "kantor", "svg.fonttype": "none"}


def write(figure: plt.Figure, path: Path) -> None:
    """Write a figure as an SVG file, and close it."""
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
