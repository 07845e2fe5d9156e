"""The notebook's way, running in a process of its own beside ours."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from kantor.system.processor import PINNED


class Notebook:
    """The notebook's network in training; see benchmarks.notebook."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def epoch(self) -> float:
        """Train an epoch; its seconds."""
        return float(self._ask("epoch"))

    def save(self, path: Path) -> None:
        """Write the network as a .keras file."""
        self._ask(str(path))

    def _ask(self, question: str) -> str:
        print(question, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


@contextmanager
def notebook(windows: np.ndarray) -> Iterator[Notebook]:
    """Start it on windows, int (windows, notes); nothing that kantor.system.processor pins holds
    there.
    """
    plain = {name: value for name, value in os.environ.items() if name not in PINNED}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.npy"
        np.save(path, windows)
        with subprocess.Popen(
            # By its path: the package benchmarks pins what TensorFlow does.
            [sys.executable, str(Path(__file__).with_name("notebook.py")), str(path)],
            env=plain,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            yield Notebook(process)
            process.stdin.close()
