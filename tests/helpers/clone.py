"""Temporary clones of the project, for tests that run it as a user does."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dvc.repo

from helpers import committed
from helpers.project import PROJECT
from kantor.commands import reproduce

# Settings of a network that is compiled and trained in seconds, having no loop over time.
CONVOLUTIONS = {
    "model.architecture": "wavenet_lstm",
    "model.wavenet_lstm.filters": [8],
    "model.wavenet_lstm.lstm": [],
    "train.examples": "windows",
}


class Clone:
    """A clone of the project: with the code of the workspace, its uncommitted work too, but with
    the committed settings, lock and reports.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git = ["git", "-C", str(PROJECT)]
        clone = ["clone", "--quiet", "--no-checkout", str(PROJECT), str(folder)]
        subprocess.run([*git, *clone], check=True)
        self.run("git", "reset", "--quiet")
        command = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name in sorted({name for name in listed.split("\0") if name}):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.startswith(committed.RESULTS):
                path.write_bytes(committed.content(name))
            elif (PROJECT / name).is_file():
                shutil.copy(PROJECT / name, path)
        (folder / "params.yaml").write_text(committed.settings())

    def change(self, changes: dict[str, object]) -> None:
        """Change keys, such as `train.epochs`, of the clone's params.yaml."""
        reproduce.change(self.folder / "params.yaml", changes)

    def shrink(self) -> None:
        """Make it the tiny setting of the quick check."""
        reproduce.shrink(self.folder / "params.yaml")

    def replace(self, path: str, text: str, instead: str) -> None:
        """Replace a text that stands once in a file of the clone."""
        before = (self.folder / path).read_text()
        assert before.count(text) == 1, f"{path}: {text!r} is there {before.count(text)} times"
        (self.folder / path).write_text(before.replace(text, instead))

    def commit(self, message: str = "Change what the test changes") -> None:
        """Commit all that was changed, and what was carried along."""
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        self.run("git", "add", "--all")
        self.run("git", *who, "commit", "--quiet", "--allow-empty", "-m", message)

    def run(self, *command: str, code: int = 0) -> str:
        """Run a command in the clone, expect its exit code, return what it printed."""
        finished = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        printed = finished.stdout + finished.stderr
        assert finished.returncode == code, printed
        return printed

    def kantor(self, *arguments: str, code: int = 0) -> str:
        """Run the command `kantor`, by the clone's code."""
        return self.run(sys.executable, "-m", "kantor", *arguments, code=code)

    def stage(self, name: str, code: int = 0) -> str:
        """Run one stage's script."""
        return self.run(sys.executable, "-m", f"stages.{name}", code=code)

    def status(self, pipeline: str = "dvc.yaml") -> dict[str, list]:
        """What `dvc status` says about a pipeline, by stage."""
        with dvc.repo.Repo(self.folder) as repo:
            status = repo.status(targets=[str(self.folder / pipeline)])
        return {stage.rpartition(":")[2]: changes for stage, changes in status.items()}

    def changed_params(self, file: str) -> set[tuple[str, str]]:
        """Each stage and key of a file of settings where `dvc status` sees a change."""
        return {
            (stage, key)
            for stage, changes in self.status().items()
            for change in changes
            if isinstance(change, dict)
            for key in change.get("changed deps", {}).get(file, ())
        }

    def digests(self, *names: str) -> dict[str, str]:
        """sha256 by path, of files and of all files in folders."""
        return digests(self.folder, *names)

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment, with this Python first."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
        }


def digests(folder: Path, *names: str) -> dict[str, str]:
    """sha256 by path below `folder`, of files and of all files in folders."""
    paths = [
        path
        for name in names
        for path in sorted([folder / name, *(folder / name).rglob("*")])
        if path.is_file()
    ]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }
