"""Settings that are changed for a benchmark: --set KEY=VALUE ..."""

import argparse
from collections.abc import Iterable

import yaml

from kantor.system.errors import KantorError

EXAMPLE = "preferred.guidance=0"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help=f"in place of what params.yaml has, such as {EXAMPLE}",
    )


def read(pairs: Iterable[str]) -> dict[str, object]:
    """The values by their keys. KantorError tells of a pair that is none."""
    changes = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise KantorError(f"--set {pair}: expected KEY=VALUE, such as {EXAMPLE}")
        changes[key] = yaml.safe_load(value)
    return changes
