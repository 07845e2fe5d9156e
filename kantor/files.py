"""Outputs that are there whole or not at all: written beside, then renamed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a free path beside `path`, for a file or folder that becomes `path` at the end.

    If the block fails, `path` stays what it was. A folder that `path` was is replaced. What
    a killed process left beside `path` is cleared away; so only one may write it at a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.partial"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(
        dir=path.parent, prefix=f".{path.name}.", suffix=".partial"
    ) as beside:
        fresh, old = Path(beside) / path.name, Path(beside) / "old"
        yield fresh
        if not path.is_dir():
            fresh.replace(path)
            return
        path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            old.rename(path)
            raise
