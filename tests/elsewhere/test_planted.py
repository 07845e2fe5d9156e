"""Faults that would make bits depend on the processor, planted: the check turns red."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.project import PROJECT
from kantor.elsewhere import processors
from kantor.system.processor import PINNED

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("planted")]
WIDE = "avx512f" in processors.flags()

CHECK = """
from kantor.elsewhere import check
from kantor.system import errors
errors.run(lambda: check.short(groups=[{group!r}], names={names!r}, steps=1, without_avx512=True))
"""
YNNPACK = (
    "kantor/system/processor.py",
    '            "--xla_cpu_experimental_ynn_fusion_type=",\n',
    "",
)
DISPATCH = (
    "kantor/system/processor.py",
    '    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",\n',
    "",
)
CACHES = ("kantor/system/runtime.py", "    caches.pin()\n", "")


def planted(folder: Path, path: str, text: str, wrong: str) -> None:
    """Copy the project's code, with this fault."""
    shutil.copytree(PROJECT / "kantor", folder / "kantor")
    shutil.copy(PROJECT / "params.yaml", folder)
    file = folder / path
    before = file.read_text()
    assert before.count(text) == 1
    file.write_text(before.replace(text, wrong))


@pytest.mark.parametrize(
    ("fault", "group", "names"),
    [
        pytest.param(YNNPACK, "gru", ["haswell"], id="YNNPACK"),
        pytest.param(DISPATCH, "numpy", ["haswell"], id="numpy's dispatch"),
        # One has smaller caches than this processor, whichever it is, or the other larger ones.
        pytest.param(CACHES, "start", ["haswell", "alderlake"], id="cache sizes"),
    ],
)
def test_a_fault_turns_the_check_red(tmp_path, fault, group, names):
    if fault is not CACHES and not WIDE:
        pytest.skip("shows where there is AVX-512 alone, and this processor has none")
    planted(tmp_path, *fault)
    command = [sys.executable, "-c", CHECK.format(group=group, names=names)]
    # This process has the pinned variables, which would mend the fault.
    clean = {name: value for name, value in os.environ.items() if name not in PINNED}
    finished = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert f"results differ, of {group}" in finished.stderr, finished.stderr
