"""The command `kantor` as a whole: help, wrong arguments, and what it waits for."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from helpers import running
from helpers.project import PROJECT

# Seconds each, and of no use to who asks for help or misspells an option.
SLOW = {"keras", "music21", "pandas", "tensorflow"}
HUGE = 5000 * "9"
CALLS = {
    0: [
        "--help",
        "harmonise --help",
        "fill --help",
        "compose --help",
        "judge --help",
        "dependencies --help",
        "reproduce --help",
    ],
    1: [
        "harmonise none.mid mine --count 0",
        "harmonise none.mid mine --particles 0",
        "harmonise none.mid mine --key H",
        "harmonise none.mid mine --particles 1000000000",
        "fill none.csv mine --bars 1 --seed 2147483648",
        "compose mine --count 1000000",
        "compose mine --plan none --rows 1000000000",
        "compose mine --prompt none.csv --prompt-rows 1000000000",
        "compose mine --top-k 2147483648",
        f"compose mine --count {HUGE}",
        "compose mine --plan none --count 10000 --rows 4096",
        "fill none.csv mine --bars 5-8",
        "fill none.csv mine --bars 5-8 --temperature -1",
        "compose mine --count 0",
        "compose mine --temperature -1",
        "compose mine --key H",
        "compose mine --bars 1",
        "compose mine --top-p 2",
        "compose mine --prompt none.csv",
        "compose mine --ending none.csv",
        "compose mine --model none.keras",
        "compose mine --tempo 1",
        "compose mine --timbre flute",
        "judge none.mid",
        "judge params.yaml --annotate x.pdf",
        "judge params.yaml --notes x.csv --model none.keras",
        "judge params.yaml",
        "dependencies",
        "reproduce",
    ],
    2: [
        "",
        "play",
        "harmonise none.mid",
        "harmonise none.mid mine --voice tuba",
        "fill none.csv mine",
        "fill none.csv mine --bars 8-5",
        f"fill none.csv mine --bars {HUGE}",
        "compose",
        "compose mine --count many",
        "compose mine --phrases 4,four",
        "compose mine --pieces 3",
        "judge",
        "judge params.yaml --score",
        "dependencies now",
        "reproduce --slow",
    ],
}
# Runs calls one after the other in one process: for each its exit code, and what was loaded.
SCRIPT = """
import contextlib, io, json, shlex, sys
from kantor import __main__
from kantor.system import memory
memory.installed = lambda: 2 * 10**9
for call in json.loads(sys.argv[1]):
    sys.argv = ["kantor", *shlex.split(call)]
    code = 0
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            __main__.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    print(json.dumps([call, code or 0, sorted(sys.modules)]))
"""


def test_help_and_wrong_arguments_load_nothing_slow(tmp_path, settings_file):
    shutil.copy(settings_file, tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/chorale.keras").touch()
    calls = [call for listed in CALLS.values() for call in listed]
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(calls)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        check=True,
        capture_output=True,
        text=True,
    )
    results = [json.loads(line) for line in finished.stdout.splitlines()]
    assert {call: code for call, code, _ in results} == {
        call: code for code, listed in CALLS.items() for call in listed
    }
    for call, _, modules in results:
        assert "kantor.commands.compose" in modules
        assert not SLOW & set(modules), call


@pytest.mark.parametrize(
    "name", ["harmonise", "fill", "compose", "judge", "dependencies", "reproduce"]
)
def test_each_command_has_its_help(name, tmp_path, capsys):
    running.kantor(tmp_path, "--help")
    listed = capsys.readouterr().out
    assert name in listed
    running.kantor(tmp_path, name, "--help")
    text = capsys.readouterr().out
    assert f"kantor {name}" in text.split("usage: ")[1] and f"\n    kantor {name}" in text


def test_python_m_kantor_runs_the_code_of_the_folder_that_it_is_called_in(tmp_path):
    """Not the installed one: so a clone rebuilds what its commit says."""
    (tmp_path / "kantor").mkdir()
    (tmp_path / "kantor/__init__.py").write_text("")
    (tmp_path / "kantor/__main__.py").write_text("print('the code here')\n")
    command = [sys.executable, "-m", "kantor"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout == "the code here\n"
