import re

from kantor.system import progress


def test_away_from_a_terminal_it_is_a_few_lines(capsys, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.Progress("read", 30, "scores") as bar:
        for _ in range(30):
            bar.advance("well")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "read: 11 of 30 scores, 19 s left, well",
        "read: 22 of 30 scores, 8 s left, well",
        "read: 30 of 30 scores, 0 s left, well",
    ]


def test_on_a_terminal_it_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with progress.Progress("read", 4, "scores", done=1) as bar:
        for _ in range(3):
            bar.advance()
    shown = capsys.readouterr().err
    assert re.search(r"read: 100%.*4/4", shown) and shown[-1] == "\n"
