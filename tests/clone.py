"""Temporary clones of the project, for tests that run it as a user does."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import PROJECT
from kantor.commands import reproduce

# Settings of a network that is compiled and trained in seconds, having no loop over time.
CONVOLUTIONS = {
    "model.architecture": "wavenet_lstm",
    "model.wavenet_lstm.filters": [8],
    "model.wavenet_lstm.lstm": [],
    "train.examples": "windows",
}


class Clone:
    """A clone of the project with uncommitted work carried along."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git = ["git", "-C", str(PROJECT)]
        subprocess.run([*git, "clone", "--quiet", str(PROJECT), str(folder)], check=True)
        command = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name in listed.split("\0"):
            if name and (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, folder / name)

    def change(self, changes: dict[str, object]) -> None:
        """Change keys, such as `train.epochs`, of the clone's params.yaml."""
        reproduce.change(self.folder / "params.yaml", changes)

    def shrink(self) -> None:
        """Make it the tiny setting of the quick check."""
        reproduce.shrink(self.folder / "params.yaml")

    def commit(self, message: str = "Change what the test changes") -> None:
        """Commit all that was changed, and what was carried along."""
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        self.run("git", "add", "--all")
        self.run("git", *who, "commit", "--quiet", "--allow-empty", "-m", message)

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command in the clone, expect its exit code, return what it said."""
        finished = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        said = finished.stdout + finished.stderr
        assert finished.returncode == code, said
        return said

    def stage(self, name: str, code: int = 0) -> str:
        """Run one stage's script."""
        return self.run(sys.executable, "-m", f"stages.{name}", code=code)

    def digests(self, *names: str) -> dict[str, str]:
        """sha256 by path, of files and of all files in folders."""
        paths = [
            path
            for name in names
            for path in sorted([self.folder / name, *(self.folder / name).rglob("*")])
            if path.is_file()
        ]
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
        }

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment, with this Python first."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
        }
