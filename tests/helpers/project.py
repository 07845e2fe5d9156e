"""Where the project's files are."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
ARCHIVE = PROJECT.parent / "shared" / "data" / "jsb_chorales.tgz"
