import pytest

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
