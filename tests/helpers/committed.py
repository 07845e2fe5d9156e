"""Settings and results as they are committed, whatever the workspace holds.

`dvc repro` on another machine changes the last digits of results, and who tries a setting changes
params.yaml. Neither may turn a test red. What is added to git's index counts as committed, so that
new results can be tested before the commit.
"""

import subprocess

import yaml

from helpers.project import PROJECT
from kantor import params
from kantor.network import registry
from kantor.system.errors import KantorError

# What `dvc repro` writes and people set; all else in git is code or text.
RESULTS = ("dvc.lock", "params.yaml", "reports/", "study/dvc.lock")


def content(path: str) -> bytes:
    """The committed content of a file, or the workspace's where there is none."""
    git = ["git", "-C", str(PROJECT), "show", f":./{path}"]
    shown = subprocess.run(git, capture_output=True)
    return (PROJECT / path).read_bytes() if shown.returncode else shown.stdout


def text(path: str) -> str:
    """The same as text."""
    return content(path).decode("utf-8")


def settings() -> str:
    """The committed params.yaml; the workspace's if a change of the code asks for other keys."""
    committed = text("params.yaml")
    try:
        checked = params.checked(params.Params, yaml.safe_load(committed), "params.yaml")
        registry.configured(checked.model)
    except KantorError:
        return (PROJECT / "params.yaml").read_text("utf-8")
    return committed
