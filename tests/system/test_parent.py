"""A stage ends with the dvc that runs it, whatever shell is between them."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from helpers.processes import alive, outlives
from helpers.project import PROJECT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a stage may outlive dvc")

STAGE = "import stages, os, time; print(os.getpid(), flush=True); "
# As dvc does it: the variable is for the stage alone.
DVC = "import os, subprocess, sys; subprocess.run(sys.argv[1:], env=os.environ | {ENVIRONMENT})"


@pytest.fixture
def start(request):
    """Starts `dvc`, which starts a shell, which starts a stage; dvc, and the stage's number."""

    def start(shell, environment="'DVC_STAGE': 'train'", seconds=60):
        command = f"{sys.executable} -c '{STAGE} time.sleep({seconds})'"
        dvc = subprocess.Popen(
            [sys.executable, "-c", DVC.replace("ENVIRONMENT", environment), *shell, command],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

        def end():
            with suppress(ProcessLookupError):
                os.killpg(dvc.pid, signal.SIGKILL)
            dvc.communicate()

        request.addfinalizer(end)
        return dvc, int(dvc.stdout.readline())

    return start


SHELLS = {
    "a shell that makes way": ["/bin/sh", "-c", 'exec /bin/sh -c "exec $0"'],
    "a shell": ["/bin/sh", "-c"],
    "a shell that waits": ["/bin/sh", "-c", 'eval "$0"; :'],
    "two shells": ["/bin/sh", "-c", '/bin/sh -c "$0; :"; :'],
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_stage_ends_with_dvc(start, shell):
    dvc, stage = start(SHELLS[shell])
    assert alive(stage)
    dvc.kill()
    assert not outlives(stage, seconds=20)


def test_a_stage_that_is_not_of_dvc_goes_on(start):
    dvc, stage = start(SHELLS["a shell that waits"], environment="")
    dvc.kill()
    assert outlives(stage, seconds=1)


def test_a_stage_goes_to_its_end(start):
    dvc, _ = start(SHELLS["a shell"], seconds=0.1)
    assert dvc.wait(20) == 0
