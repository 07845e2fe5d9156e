"""What tests of hostile scores share."""

import pytest

from helpers import bad_scores


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """A small file of each format, by its suffix."""
    return bad_scores.samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(params=bad_scores.READERS)
def read(request):
    return bad_scores.READERS[request.param]
