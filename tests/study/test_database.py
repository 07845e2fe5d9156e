"""The file of a search's trials after a kill, and damaged in other ways."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from helpers.searching import Searching
from kantor.system.errors import KantorError
from study import database

pytestmark = [
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
    pytest.mark.xdist_group("database"),  # they share a search
]
# Begins to write, as a search does, and dies before it is done; the cache is too small for it.
DIES = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE trials SET state = 'FAIL', datetime_complete = NULL")
connection.execute("UPDATE trial_params SET distribution_json = hex(zeroblob(9999))")
os._exit(9)
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search of three trials that has ended."""
    searching = Searching(tmp_path_factory.mktemp("searched") / "kantor")
    searching.write(trials=3)
    with pytest.MonkeyPatch.context() as patch:
        searching.search(patch)
    return searching.folder


@pytest.fixture
def searching(searched, tmp_path):
    """A copy of it."""
    own = Searching(tmp_path / "kantor")
    own.write(trials=3)
    shutil.copytree(searched, own.folder, dirs_exist_ok=True)
    return own


def test_a_change_that_a_kill_left_half_written_is_taken_back(searching, monkeypatch, capsys):
    path, before = searching.trials / "trials.db", searching.table()
    whole = path.read_bytes()
    subprocess.run([sys.executable, "-c", DIES, path])
    assert path.read_bytes() != whole and (searching.trials / "trials.db-journal").exists()
    searching.search(monkeypatch)
    sentences = [line for line in capsys.readouterr().err.splitlines() if "half-written" in line]
    assert sentences == [
        f"{path}: a search that was killed left a change half-written; it is taken back, and the "
        "search goes on"
    ]
    assert searching.table().equals(before)


def test_a_whole_file_is_not_spoken_of(searching, monkeypatch, capsys):
    searching.search(monkeypatch)
    assert "trials.db" not in capsys.readouterr().err


def test_a_search_goes_on_if_it_was_killed_as_it_began(searching, monkeypatch):
    shutil.rmtree(searching.trials)
    searching.trials.mkdir()
    (searching.trials / "trials.db").touch()
    searching.search(monkeypatch)
    assert len(searching.table()) == 3


def written(change):
    """Damage by another content: `change` of the bytes that are there."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def executed(statement):
    """Damage by a statement of SQL."""

    def damage(path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    return damage


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (written(lambda content: b""), "it is empty, and trials were run"),
        (written(lambda content: b"nonsense" * 999), "file is not a database"),
        (written(lambda content: bytes(len(content))), "file is not a database"),
        (written(lambda content: content[1:]), "file is not a database"),
        (written(lambda content: content[: len(content) // 2]), ""),
        (written(lambda content: content[:50]), ""),
        (written(lambda content: content[:8192] + b"\xff" * 4096 + content[12288:]), ""),
        (written(lambda content: content[:5000] + bytes(len(content) - 5000)), ""),
        (a_folder, "unable to open database file"),
        (executed("DROP TABLE trials"), "no such row in trials"),
        (executed("DROP TABLE trial_values"), "table trial_values is missing"),
        (executed("DROP TABLE trial_params"), "table trial_params is missing"),
        (executed("DELETE FROM trial_values"), "lacks a loss"),
        (executed("UPDATE trial_values SET value = 'low'"), "lacks a loss"),
        (executed("UPDATE trial_intermediate_values SET intermediate_value = ''"), "lacks a loss"),
        (executed("DELETE FROM trial_params WHERE trial_id = 2"), "trial 1 has other keys"),
        (executed("DELETE FROM study_directions"), ""),
        (executed("UPDATE studies SET study_name = 'other'"), "the search is other, and not tiny"),
        (executed("DELETE FROM trials WHERE number = 1"), "no such row in trials"),
        (executed("DELETE FROM studies"), "no such row in studies"),
        (executed("DELETE FROM study_user_attributes"), "nothing tells with which settings"),
        (executed("UPDATE study_user_attributes SET value_json = '7'"), "nothing tells with which"),
        (
            executed("""UPDATE study_user_attributes SET value_json = '{"op_code": 4, '"""),
            "table study_user_attributes, row 1, column value_json: '{\"op_code\": 4, ' is not",
        ),
        (
            executed("UPDATE trial_params SET distribution_json = NULL WHERE param_id = 4"),
            "table trial_params, row 4, column distribution_json: None is not JSON",
        ),
        (executed("UPDATE trial_params SET distribution_json = '[]'"), ""),
        (executed("UPDATE trial_params SET distribution_json = '{}'"), ""),
        (executed("UPDATE trial_params SET param_value = 'much'"), ""),
        (executed("UPDATE trial_params SET param_value = 99"), ""),
        (executed("UPDATE trials SET state = 'NEVER'"), "NEVER"),
        (executed("UPDATE trials SET number = 7 WHERE number = 1"), "stands in place 1"),
        (executed("UPDATE trials SET datetime_start = 'soon'"), ""),
        (executed("UPDATE trial_values SET value = NULL"), ""),
        (executed("UPDATE trial_intermediate_values SET intermediate_value_type = 'X'"), "X"),
        (executed("UPDATE alembic_version SET version_num = 'v9'"), ""),
    ],
)
def test_other_damage_is_one_sentence_and_changes_nothing(searching, monkeypatch, damage, reason):
    path = searching.trials / "trials.db"
    damage(path)
    content = path.read_bytes() if path.is_file() else None
    with pytest.raises(KantorError) as error:
        searching.search(monkeypatch)
    sentence = str(error.value)
    assert sentence.startswith(f"{path}: damaged: ") and reason in sentence
    assert "expected the trials of a search; move the file away to begin anew" in sentence
    assert "\n" not in sentence and len(sentence) < 600
    if content is not None:
        assert path.read_bytes() == content


def test_a_damaged_file_that_was_moved_away_lets_the_search_begin_anew(searching, monkeypatch):
    path, before = searching.trials / "trials.db", searching.table()
    path.write_bytes(b"nonsense")
    with pytest.raises(KantorError):
        database.check(path)
    path.rename(path.with_suffix(".away"))
    searching.search(monkeypatch)
    assert searching.table().equals(before)


@pytest.mark.slow
def test_damage_ends_the_command_with_code_1_and_no_traceback(searching):
    (searching.trials / "trials.db").write_bytes(b"nonsense")
    worker = searching.worker()
    printed, _ = worker.communicate(timeout=120)
    assert worker.returncode == 1
    (line,) = printed.splitlines()
    assert line.startswith("error: ") and line.endswith("put a copy of it back")
