"""How much the commands that write pieces may be asked for."""

import argparse
import math
from pathlib import Path

import pytest

from helpers import running
from kantor.commands import completing, compose, fill, harmonise, limits, writing
from kantor.system import memory
from kantor.system.errors import KantorError

COMMANDS = {"compose": (), "harmonise": ("melody.csv",), "fill": ("piece.csv",)}
NUMBERS = {
    "compose": ("count", "seed", "top_k", "particles", "phrases", "rows", "prompt_rows", "bars"),
    "harmonise": ("count", "seed", "top_k", "particles", "phrases"),
    "fill": ("count", "seed", "top_k", "particles"),
}
HUGE = 5000 * "9"


def values(limit):
    """Numbers beyond a limit, as they are written, and how they are shown."""
    shown = {str(one): str(one) for one in (limit.highest + 1, 10**6, 2**31, 10**9, 10**15)}
    return [(text, one) for text, one in shown.items() if int(text) > limit.highest] + [
        (text, "a number of too many digits") for text in (HUGE, "+" + HUGE, 40 * "9")
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model that nothing may load, and no settings to read."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models/chorale.keras").touch()
    monkeypatch.setattr("kantor.network.model_file.load_predicting", None)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command, names in NUMBERS.items() for name in names],
)
def test_a_number_beyond_its_limit_is_one_sentence_with_the_limit_and_a_reason(
    folder, command, name
):
    limit, option = limits.LIMITS[name], "--" + name.replace("_", "-")
    more = ("--bars", "1") if command == "fill" else ()
    for text, shown in values(limit):
        error = running.kantor(folder, command, *COMMANDS[command], "bad", *more, option, text)
        assert error == (
            f"error: {option} is {shown}; expected {limit.highest} or less: {limit.reason}"
        )
    for text in (str(limit.lowest - 1), "-" + HUGE):
        written = f"{option}={text}"
        error = running.kantor(folder, command, *COMMANDS[command], "bad", *more, written)
        assert error.startswith(f"error: {option} is ")
        assert error.endswith(f"; expected {limit.lowest} or more")
    assert not (folder / "bad").exists()


def test_every_whole_number_of_the_commands_has_a_limit():
    for command in (compose, harmonise, fill):
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        names = {action.dest for action in parser._actions if action.type is writing.whole}
        assert names <= set(limits.LIMITS) and int not in {a.type for a in parser._actions}


@pytest.mark.parametrize("name", limits.LIMITS)
def test_the_limits_themselves_are_within(name):
    limit = limits.LIMITS[name]
    for number in (limit.lowest, limit.highest, [limit.highest], None):
        limits.check(argparse.Namespace(**{name: number}), [name])


def test_a_phrase_beyond_its_limit_is_told(folder):
    error = running.kantor(folder, "compose", "bad", "--phrases", f"4,{HUGE},4")
    assert error.startswith("error: --phrases is a number of too many digits; expected 4096")


def test_digits_that_no_number_has_are_told_in_short(folder, capsys):
    for arguments in (("--count", HUGE + "x"), ("--phrases", HUGE + "x")):
        assert running.kantor(folder, "compose", "bad", *arguments) == "2"
        assert len(capsys.readouterr().err.splitlines()[-1]) < 200
    assert running.kantor(folder, "fill", "piece.csv", "bad", "--bars", HUGE) == "2"
    assert len(capsys.readouterr().err.splitlines()[-1]) < 200


def test_numbers_are_read_as_they_were():
    assert [writing.whole(text) for text in ("0", " 7", "-3", "+4")] == [0, 7, -3, 4]
    assert writing.whole(HUGE) == math.inf and writing.whole("-" + HUGE) == -math.inf


def test_what_this_machine_has_no_memory_for_is_refused(folder, settings_file, monkeypatch):
    (folder / "params.yaml").write_text(settings_file.read_text())
    monkeypatch.setattr(memory, "installed", lambda: 4 * memory.GIGABYTE)
    error = running.kantor(
        folder,
        "compose",
        "bad",
        "--plan",
        "none",
        "--count",
        9999,
        "--rows",
        4096,
        "--particles",
        1,
    )
    assert error == (
        "error: to compose 9999 of 4096 rows takes about 13.2 GB of memory, and this machine has "
        "4.0; ask for fewer or shorter pieces"
    )


def test_a_completion_is_refused_before_its_model_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(memory, "installed", lambda: memory.GIGABYTE)
    arguments = argparse.Namespace(count=2, model=Path("none"), seed=0)
    options = argparse.Namespace(particles=3)
    with pytest.raises(KantorError, match=r"^to compose 2 of 8 rows with 3 particles takes"):
        completing.complete(arguments, None, options, 8 * [None], None)
