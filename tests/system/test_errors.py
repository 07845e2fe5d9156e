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


def test_ctrl_c_is_one_line_and_code_130(capsys):
    with pytest.raises(SystemExit) as ended:
        errors.run(interrupt)
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.run(lambda: 1 / 0)


START = "import time\nfrom kantor.system import errors\nerrors.set_up_process()\n"
# What gets a Ctrl-C, and may swallow it or make something else of it, as libraries do.
BODIES = {
    "while it imports": "{wait}",
    "disguised": "try: {wait}\nexcept BaseException: raise ImportError('half of it is missing')",
    "swallowed": "try: {wait}\nexcept BaseException: pass\nerrors.run(lambda: print('it runs'))",
    "while it runs": "errors.run(lambda: [{wait}])",
}


def test_whoever_imports_kantor_keeps_his_process_as_it_is():
    code = (
        "import signal, sys; before = sys.excepthook, signal.getsignal(signal.SIGINT); "
        "from kantor import chorale, params; from kantor.system import runtime; "
        "sys.exit((sys.excepthook, signal.getsignal(signal.SIGINT)) != before)"
    )
    assert not subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_ctrl_c_in_a_process_is_one_line_and_code_130(body):
    process = subprocess.Popen(
        [sys.executable, "-c", START + body.format(wait="print(flush=True), time.sleep(60)")],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate() == ("", "interrupted\n")
    assert process.returncode == 130
