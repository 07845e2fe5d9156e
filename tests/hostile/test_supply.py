"""What is installed, and what GitHub runs, is named by its content."""

import re

import pytest
import yaml

from helpers.project import PROJECT

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^\s;]+", re.M)


def pins(name):
    """The pins in a file of requirements, by the names that packages go by."""
    names = PIN.findall((PROJECT / name).read_text().lower())
    return {re.sub(r"[._-]+", "-", pin.split("==")[0]): pin.split("==")[1] for pin in names}


def test_every_pin_has_its_hashes():
    assert pins("constraints.txt").items() <= pins("hashes.txt").items()
    text = (PROJECT / "hashes.txt").read_text().lower()
    entries = [text[a.start() : b] for a, b in zip(*ends(text), strict=True)]
    assert len(entries) == len(pins("hashes.txt"))
    assert all(HASH.search(entry) for entry in entries)
    assert "://" not in text, "an address of a registry"


def ends(text):
    """Where each pin begins, and where the next one does."""
    begins = list(PIN.finditer(text))
    return begins, [*(match.start() for match in begins[1:]), len(text)]


@pytest.mark.parametrize("path", sorted((PROJECT / ".github/workflows").glob("*.yml")))
def test_actions_are_pinned_by_commit(path):
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    used = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)
