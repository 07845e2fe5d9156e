"""Stages in processes of their own, which begin at once: they are forked from one that has loaded
TensorFlow and has computed nothing yet.
"""

import os
import subprocess
import sys
from pathlib import Path

from helpers.project import PROJECT

# For each line of a folder and a stage: fork, say who runs it, and then how it ended.
SERVER = """
import importlib, os, sys, threading
from kantor.system import errors
from kantor.system.runtime import keras
names = ("preprocess", "train")
stages = {name: importlib.import_module(f"stages.{name}") for name in names}
for line in sys.stdin:
    folder, name = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        os.chdir(folder)
        try:
            errors.run(stages[name].main)
        except SystemExit as end:
            print(end.code, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks:
    """Runs stages, one at a time; a context manager."""

    def __enter__(self) -> "Forks":
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stdin.close()
        self._server.wait()

    def start(self, name: str, folder: Path) -> int:
        """Begin a stage in a folder; its process."""
        print(folder, name, sep="\t", file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def wait(self) -> int:
        """Wait for the end of the stage; its exit code, or the signal that it died of, negative."""
        return int(self._server.stdout.readline())

    def run(self, name: str, folder: Path) -> None:
        """Run a stage that is to go well."""
        self.start(name, folder)
        assert self.wait() == 0
