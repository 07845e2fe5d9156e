"""Tests hold on any machine, before and after `dvc repro`, and with changed settings."""

import re
import subprocess
import sys

import pytest
import yaml

from helpers.clone import Clone

TESTS = (
    "tests/test_readme.py",
    "tests/pipeline/test_dvc_yaml.py",
    "tests/study/test_study.py",
    "tests/study/test_techniques.py",
)


def pytest_in(clone: Clone) -> dict[str, str]:
    """The outcome of each test of TESTS in the clone."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-vv"]
    finished = subprocess.run(
        [*command, *TESTS], cwd=clone.folder, env=clone.environment, capture_output=True, text=True
    )
    assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    return dict(re.findall(r"^(tests/\S+?::.+?) (PASSED|FAILED|ERROR)", finished.stdout, re.M))


def with_other_digits(text: str) -> str:
    """A text in which the last digit of each long fraction is another."""
    return re.sub(r"(\.\d{3,})(\d)\b", lambda m: f"{m[1]}{(int(m[2]) + 1) % 10}", text)


@pytest.mark.slow
def test_what_dvc_repro_changes_on_another_processor_turns_no_test_red(tmp_path):
    clone = Clone(tmp_path / "kantor")
    clone.commit()
    in_a_fresh_clone = pytest_in(clone)
    assert len(in_a_fresh_clone) > 50

    results = [
        clone.folder / "reports/metrics.json",
        *(clone.folder / "reports/evaluation").glob("*.csv"),
        *(clone.folder / "reports/study").glob("*.csv"),
    ]
    for path in results:
        path.write_text(with_other_digits(path.read_text()))
    lock = yaml.safe_load((clone.folder / "dvc.lock").read_text())
    for name in ("train", "evaluate", "compose", "render", "report"):
        for output in lock["stages"][name]["outs"]:
            output["md5"] = output["md5"][::-1]
    (clone.folder / "dvc.lock").write_text(yaml.safe_dump(lock))
    clone.change({"render.tempo": 99.0, "train.epochs": 3, "model.members": 2})
    changed = clone.run("git", "status", "--porcelain")
    for name in ("params.yaml", "dvc.lock", "reports/metrics.json", "reports/study/runs.csv"):
        assert f" M {name}" in changed

    assert pytest_in(clone) == in_a_fresh_clone


@pytest.mark.slow
def test_what_is_committed_wrongly_does_turn_tests_red(tmp_path):
    clone = Clone(tmp_path / "kantor")
    metrics = clone.folder / "reports/metrics.json"
    metrics.write_text(metrics.read_text().replace('"loss": 0.3', '"loss": 0.9'))
    clone.change({"render.tempo": 99.0})
    clone.commit()
    outcomes = pytest_in(clone)
    red = {name.rpartition("::")[2] for name, outcome in outcomes.items() if outcome != "PASSED"}
    assert {
        "test_the_scores[pieces: the network-figures0]",
        "test_the_committed_metrics_are_those_of_the_lock",
        "test_the_committed_lock_matches_the_code_and_the_committed_params[dvc.yaml]",
    } <= red
