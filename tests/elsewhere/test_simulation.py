"""One simulation for all tests here: looking for the instructions takes some seconds."""

import json
import os
import subprocess
import sys

import pytest

from helpers.project import PROJECT
from kantor.elsewhere import cpuid, processors, simulation
from kantor.elsewhere.processors import PROCESSORS
from kantor.system.errors import KantorError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("simulation")]
FEATURES = """
import json
from numpy._core._multiarray_umath import __cpu_features__ as features
print(json.dumps([name for name, present in features.items() if present]))
"""


@pytest.fixture(scope="module")
def simulated():
    with simulation.simulation() as one:
        yield one


def features(simulated: simulation.Simulation, name: str) -> list[str]:
    """The instructions that numpy finds on a processor."""
    environment = os.environ | simulated.environment(PROCESSORS[name])
    command = [sys.executable, "-c", FEATURES]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_genuine_instructions_are_told_from_other_bytes(tmp_path):
    source, library = tmp_path / "asks.c", tmp_path / "asks.so"
    source.write_text(
        "#include <cpuid.h>\n"
        "unsigned asks(void) { unsigned a, b, c, d; __cpuid(0, a, b, c, d); return a; }\n"
        "unsigned number(void) { return 0x12a20f34; }\n"
    )
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    assert library.read_bytes().count(cpuid.CPUID) >= 2
    (address,) = cpuid.instructions(library)
    assert library.read_bytes()[address : address + 2] == cpuid.CPUID


def test_each_library_that_computes_asks(simulated):
    counts: dict[str, int] = {}
    for line in simulated.places.read_text().splitlines():
        name = line.rpartition("/")[2].split(".")[0]
        counts[name] = counts.get(name, 0) + 1
    for name in ("libtensorflow_cc", "libtensorflow_framework", "_multiarray_umath"):
        assert counts[name] > 0
    assert sum(count for name, count in counts.items() if "openblas" in name) > 0


def test_numpy_finds_another_processor(simulated):
    assert not [name for name in features(simulated, "haswell") if "AVX512" in name]
    if "avx512f" in processors.flags():
        assert "AVX512_SKX" in features(simulated, "skylake-x") or "AVX512F" in features(
            simulated, "skylake-x"
        )
    replaced, answered = simulated.counts(PROCESSORS["haswell"])
    assert replaced > 0 and answered > 0


def test_without_a_compiler_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KantorError, match="apt-get install gcc"):
        simulation.compiled(tmp_path)


def test_its_options_need_elsewhere():
    command = [sys.executable, "-m", "kantor", "reproduce", "--long"]
    finished = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert finished.returncode == 1
    assert "go with --elsewhere" in finished.stderr
