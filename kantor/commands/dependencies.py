"""Write into dvc.yaml which code and which libraries each stage depends on.

    kantor dependencies

Call it after a change of imports, or of a version in requirements.txt or constraints.txt.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(arguments: argparse.Namespace) -> None:
    from kantor.system import dependencies
    from kantor.system.errors import KantorError

    project = Path.cwd()
    if not (project / dependencies.PIPELINE).exists():
        raise KantorError(f"{dependencies.PIPELINE}: not here; run from the project's folder")
    dependencies.write(project)
    print(f"wrote {dependencies.PIPELINE} and {dependencies.VERSIONS}")
