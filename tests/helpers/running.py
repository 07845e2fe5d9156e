"""Stages and the command `kantor` within this process, where TensorFlow is loaded already."""

import contextlib
import importlib
import sys
from pathlib import Path
from unittest import mock

from kantor import __main__
from kantor.system import errors, runtime


def stage(name: str, folder: Path) -> str:
    """Run a stage in a folder; the sentence that it fails with, "" if it does not."""
    return _run(lambda: errors.run(importlib.import_module(f"stages.{name}").main), folder)


def kantor(folder: Path, *arguments: object) -> str:
    """Run `kantor` in a folder; the sentence that it fails with, "" if it does not."""
    with mock.patch.object(sys, "argv", ["kantor", *map(str, arguments)]):
        return _run(__main__.main, folder)


def _run(main, folder: Path) -> str:
    # Threads can be set only before the first operation of a process.
    with contextlib.chdir(folder), mock.patch.object(runtime, "pin"):
        try:
            main()
        except SystemExit as end:
            return str(end.code)
    return ""
