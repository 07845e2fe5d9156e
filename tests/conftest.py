"""Fixtures and options that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from helpers import committed
from helpers.project import ARCHIVE
from kantor import params

hypothesis.settings.register_profile("project", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run the tests marked slow too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--all"):
        skip = pytest.mark.skip(reason="slow; run pytest --all")
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed params.yaml."""
    path = tmp_path_factory.mktemp("settings") / "params.yaml"
    path.write_text(committed.settings())
    return path


@pytest.fixture(scope="session")
def settings(settings_file: Path) -> params.Params:
    """The settings in the committed params.yaml."""
    return params.load(settings_file)


@pytest.fixture(scope="session")
def published() -> Path:
    """The published archive, where it is at hand."""
    if not ARCHIVE.exists():
        pytest.skip(f"the published archive is not at {ARCHIVE}")
    return ARCHIVE


@pytest.fixture
def eager() -> Iterator[None]:
    """Nothing is compiled: of what is tested so, nothing depends on that."""
    from kantor.system.runtime import tf  # slow to load, and few tests need it

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
