"""What is loaded when, and the devices of replicas."""

import os
import subprocess
import sys

import pytest

from helpers.project import PROJECT
from kantor.system import runtime
from kantor.system.errors import KantorError

SLOW_TO_LOAD = ("tensorflow", "keras", "music21", "pandas")


@pytest.mark.parametrize(
    "module", ["kantor.network.registry", "kantor.params", "kantor.system.dependencies"]
)
def test_settings_and_the_registry_load_no_large_library(module):
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "kantor" in loaded
    assert not {*loaded} & {*SLOW_TO_LOAD}


def test_replicas_without_devices_are_an_error():
    with pytest.raises(KantorError, match=r"train\.replicas is 999: there are \d+ devices of kind"):
        runtime.replicated(999)
