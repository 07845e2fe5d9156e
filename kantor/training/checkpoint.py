"""What a training needs to go on after it was killed, in one file."""

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kantor.system import atomic


@dataclass
class State:
    """The training after its last finished epoch: variables of model and optimiser, weights
    of the epoch to keep, and the history, a row an epoch.
    """

    variables: list[np.ndarray]
    kept: list[np.ndarray]
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds a State, and counts only for the training that wrote it."""

    path: Path
    fingerprint: str

    def save(self, state: State) -> None:
        """Replace the file; whenever the process dies, one whole state is there."""
        with atomic.output(self.path) as fresh, fresh.open("wb") as file:
            np.savez(
                file,
                fingerprint=self.fingerprint,
                history=json.dumps(state.history),
                **{f"variable_{i}": value for i, value in enumerate(state.variables)},
                **{f"kept_{i}": value for i, value in enumerate(state.kept)},
            )

    def load(self) -> State | None:
        """The state, or None if there is none of this very training."""
        try:
            with np.load(self.path) as arrays:
                if arrays["fingerprint"] != self.fingerprint:
                    return None
                return State(
                    _series(arrays, "variable"),
                    _series(arrays, "kept"),
                    json.loads(str(arrays["history"])),
                )
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive can raise nearly anything
            print(f"{self.path}: no checkpoint ({error}); starting anew", file=sys.stderr)
            return None


def history(path: Path) -> list[dict[str, float]]:
    """The history in a checkpoint's file, of whichever training; none if it can't be read."""
    try:
        with np.load(path) as arrays:
            return json.loads(str(arrays["history"]))
    except Exception:  # a damaged archive can raise nearly anything
        return []


def fingerprint(paths: Iterable[Path], settings: str) -> str:
    """Identify a training by the content of the files and the settings it depends on."""
    total = hashlib.sha256(settings.encode())
    for path in sorted(paths):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _series(arrays: np.lib.npyio.NpzFile, name: str) -> list[np.ndarray]:
    count = sum(key.startswith(f"{name}_") for key in arrays)
    return [arrays[f"{name}_{i}"] for i in range(count)]
