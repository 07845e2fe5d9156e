import os
import signal
import subprocess
import sys

import pytest

from helpers.project import PROJECT
from kantor.system import errors


def fail():
    raise errors.KantorError("x.csv: no rows; expected one")


def test_bad_input_ends_with_one_sentence_and_code_1(monkeypatch):
    monkeypatch.delenv("KANTOR_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        errors.run(fail)
    # A text as the code is printed to standard error, and the exit code is 1.
    assert ended.value.code == "error: x.csv: no rows; expected one"


def test_the_traceback_is_there_for_those_who_ask(monkeypatch):
    monkeypatch.setenv("KANTOR_DEBUG", "1")
    with pytest.raises(errors.KantorError):
        errors.run(fail)


def interrupt():
    raise KeyboardInterrupt


def disguised():
    """What a library may make of a Ctrl-C while it is loaded."""
    try:
        interrupt()
    except KeyboardInterrupt as error:
        raise ImportError("half of it is missing") from error


@pytest.mark.parametrize("command", [interrupt, disguised])
def test_ctrl_c_is_one_line_and_code_130(command, capsys):
    with pytest.raises(SystemExit) as ended:
        errors.run(command)
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.run(lambda: 1 / 0)


BODIES = {
    "while it imports": "import kantor, time; print(flush=True); time.sleep(60)",
    "disguised": "import kantor, time\nprint(flush=True)\ntry:\n  time.sleep(60)\n"
    "except KeyboardInterrupt as e:\n  raise ImportError from e",
    "while it runs": "from kantor.system import errors; import time\n"
    "print(flush=True); errors.run(lambda: time.sleep(60))",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_ctrl_c_in_a_process_is_one_line_and_code_130(body):
    process = subprocess.Popen(
        [sys.executable, "-c", body],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == "interrupted\n"
    assert process.returncode == 130
