"""A project's git repository."""

import subprocess
from pathlib import Path

from kantor.system.errors import KantorError


def clone(project: Path, folder: Path) -> None:
    """Clone the HEAD of a project into a new folder; KantorError if it is no repository."""
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(project), str(folder)]
    if subprocess.run(command).returncode:
        raise KantorError(f"{project}: can't be cloned; expected a git repository")
