"""What lies outside of the promise of the same bits is named."""

import pytest

from kantor.system import environment

HERE = {"system": "Linux x86_64", "instructions": ["avx2"], "c_library": "glibc 2.36"}


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"system": "Darwin arm64"}, "the system is Darwin arm64, not Linux x86_64"),
        ({"instructions": ["avx"]}, "the processor has no AVX2"),
        ({"c_library": ""}, "the C library is not glibc"),
    ],
)
def test_each_reason_is_told(monkeypatch, different, reason):
    monkeypatch.setattr(environment, "environment", lambda: HERE | different)
    assert environment.outside_promise(environment.versions()) == [reason]


def test_nothing_is_told_within_the_promise(monkeypatch):
    monkeypatch.setattr(environment, "environment", lambda: HERE)
    assert environment.outside_promise(environment.versions()) == []


def test_another_version_and_replicas_are_told(monkeypatch):
    monkeypatch.setattr(environment, "environment", lambda: HERE)
    pinned = environment.versions() | {"keras": "1.0"}
    version, replicas = environment.outside_promise(pinned, replicas=2)
    assert version.startswith("keras is ") and version.endswith(", not 1.0")
    assert replicas == "train.replicas is 2, which may use graphics cards"
