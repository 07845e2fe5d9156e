"""`dvc repro`, ended at any moment by any signal: the next one goes on, to the same bytes."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import yaml

from helpers.clone import CONVOLUTIONS, Clone
from kantor.commands import reproduce
from kantor.system.errors import KantorError

# To dvc alone, as by a program that runs it; to its process group, as by Ctrl-C in a terminal.
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
HITS = tuple(product(SIGNALS, ("alone", "group")))
HITS_A_STAGE = 4
# Of a stage's time, before a hit: it may be faster this time. The last one may come at its end, or
# after.
SHARE, LAST_SHARE, MOST_SECONDS = 0.5, 1.0, 4
POLL_SECONDS, DEADLINE_SECONDS = 0.05, 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a stage may outlive dvc"),
]


class Repro:
    """`dvc repro` in a clone, in a process group of its own, again after it was ended."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self.folder = clone.folder.resolve()
        self.log = self.folder.with_name(f"{self.folder.name}.log")
        self.hits = Counter()
        self.emptied = 0
        self.start()

    def start(self) -> None:
        """Begin, or go on after what ended the last one."""
        self.disturbed = False
        try:
            reproduce.outputs(self.folder / "dvc.lock")
        except KantorError:  # as docs/reproducibility.md says of a dvc.lock that is empty
            self.emptied += 1
            self.clone.run("git", "checkout", "dvc.lock")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dvc", "repro"],
                cwd=self.folder,
                env=self.clone.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # It may be ignored here, as what a shell runs in the background does.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def stage(self) -> str | None:
        """The stage that runs now."""
        modules = re.findall(r"stages\.(\w+)", " ".join(commands(self.folder)))
        return modules[0] if modules else None

    def wait(self, stages: set[str]) -> str | None:
        """Wait until one of the stages runs; None if dvc ends before."""
        while self.process.poll() is None:
            if (stage := self.stage()) in stages:
                return stage
            time.sleep(POLL_SECONDS)
        return None

    def hit(self, number: signal.Signals, whom: str) -> None:
        """Send a signal; wait until dvc and its stage have ended, if it makes them end."""
        self.disturbed = True
        self.hits[self.stage(), number.name, whom] += 1
        send = os.killpg if whom == "group" else os.kill
        send(self.process.pid, number)
        # While a stage runs, dvc leaves it to the stage what to do on a Ctrl-C.
        if (number, whom) != (signal.SIGINT, "alone"):
            self.process.wait(DEADLINE_SECONDS)
            self.alone()

    def alone(self) -> None:
        """Fail if anything goes on in the clone."""
        deadline = time.monotonic() + DEADLINE_SECONDS / 6
        while left := commands(self.folder):
            assert time.monotonic() < deadline, f"outlived dvc: {left}, after {self.hits}"
            time.sleep(POLL_SECONDS)

    def end(self) -> None:
        """End it and its stage."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def commands(folder: Path) -> list[str]:
    """The command lines of the living processes that are in a folder."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder:
                lines.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # of another user, or ended
            continue
    return lines


def undisturbed(clone: Clone) -> dict[str, float]:
    """Build all, without a signal; how many seconds each stage took."""
    repro, times = Repro(clone), {}
    try:
        while repro.process.poll() is None:
            times.setdefault(repro.stage(), []).append(time.monotonic())
            time.sleep(POLL_SECONDS)
    finally:
        repro.end()
    assert repro.process.returncode == 0, repro.log.read_text()
    return {stage: max(seen) - min(seen) for stage, seen in times.items() if stage}


def files(clone: Clone) -> dict[str, str]:
    """sha256 by path, but of what git, DVC and Python keep for themselves."""
    names = [path.name for path in clone.folder.iterdir() if path.name not in (".git", ".dvc")]
    return {
        path: digest for path, digest in clone.digests(*names).items() if "__pycache__" not in path
    }


def test_signals_at_random_moments_change_nothing(tmp_path):
    one, other = Clone(tmp_path / "one"), Clone(tmp_path / "other")
    for clone in (one, other):
        clone.shrink()
        clone.change(CONVOLUTIONS)
    seconds = undisturbed(one)
    assert set(seconds) == set(yaml.safe_load((one.folder / "dvc.yaml").read_text())["stages"])

    draw = random.Random(7)
    plan = {stage: draw.sample(HITS, HITS_A_STAGE) for stage in sorted(seconds)}
    repro = Repro(other)
    try:
        while True:
            stage = repro.wait({stage for stage, hits in plan.items() if hits})
            if stage:
                hit = plan[stage].pop()
                share = SHARE if plan[stage] else LAST_SHARE
                time.sleep(draw.uniform(0, min(MOST_SECONDS, share * seconds[stage])))
                if repro.process.poll() is None:
                    repro.hit(*hit)
            elif repro.process.returncode == 0:
                break
            else:
                assert repro.disturbed, f"after {repro.hits}:\n{repro.log.read_text()}"
                repro.start()
    finally:
        repro.end()

    other.run("dvc", "repro")
    assert (other.folder / "dvc.lock").read_bytes() == (one.folder / "dvc.lock").read_bytes()
    assert files(other) == files(one)
    assert other.status() == {}
    assert not commands(repro.folder)
    for stage in seconds:
        signals = [number for place, number, _ in repro.hits if place == stage]
        assert len(signals) >= 2 and len(set(signals)) >= 2, f"{stage}: {repro.hits}"
    print(f"{repro.hits.total()} hits, {repro.emptied} times an empty dvc.lock: {repro.hits}")
