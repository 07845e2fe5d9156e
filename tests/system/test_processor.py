import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kantor.system import caches, processor

PROJECT = Path(__file__).parents[2]


def python(code, **environment):
    """What a fresh Python prints."""
    clean = {name: value for name, value in os.environ.items() if name not in processor.PINNED}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=clean | environment,
        capture_output=True,
        text=True,
    )
    return run.stdout.strip() or run.stderr.strip()


def test_variables_that_steer_are_removed_or_pinned():
    code = "import kantor, json, os; print(json.dumps(dict(os.environ)))"
    after = json.loads(python(code, XLA_FLAGS="--xla_cpu_enable_fast_math=true", TF_ANYTHING="1"))
    assert "TF_ANYTHING" not in after
    assert {name: after[name] for name in processor.PINNED} == processor.PINNED


@pytest.mark.slow
@pytest.mark.parametrize("module", ["kantor.chorale", "kantor.__main__", "stages.train", "study"])
def test_numpy_leaves_wider_instructions_alone(module):
    code = (
        f"import {module}; from numpy._core._multiarray_umath import __cpu_features__ as features; "
        "print([features[name] for name in ('X86_V3', 'X86_V4', 'AVX512_ICL', 'AVX512_SPR')])"
    )
    assert python(code) == "[True, False, False, False]"


def test_numpy_before_kantor_is_refused():
    late = python("import numpy, kantor.system.runtime as r; r.tf")
    assert late.splitlines()[-1].endswith("import kantor first")
    assert "numpy was imported before kantor" in late


def test_cache_sizes_can_be_set_in_this_tensorflow(capfd):
    from kantor.system.runtime import tf  # noqa: F401  (loads the libraries)

    assert caches.pin()
    assert capfd.readouterr().err == ""


def test_a_library_without_the_symbols_is_noted(monkeypatch, capsys):
    monkeypatch.setattr(caches, "SYMBOLS", {"no_such_symbol": 24})
    assert not caches.pin()
    assert "other processors, other bits" in capsys.readouterr().err
