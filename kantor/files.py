"""Outputs that are there whole or not at all: written beside, then renamed."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a free path beside `path`, for a file or folder that becomes `path` at the end.

    If the block fails, `path` stays what it was. A folder that `path` was is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
        fresh = Path(beside) / path.name
        yield fresh
        if path.is_dir():
            path.rename(Path(beside) / "old")
        fresh.replace(path)
