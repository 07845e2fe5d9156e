"""`kantor reproduce --elsewhere --long`: the stages here and as other processors, compared.

The training is cut to some 71 steps of the default network, and an epoch of the notebook's. All
else is at its full size.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from kantor import params
from kantor.elsewhere import check, processors
from kantor.elsewhere.recipes import NETWORKS
from kantor.elsewhere.verdict import Results
from kantor.system import core_yaml, repository

SHARED_STAGES = ("download", "preprocess")
STAGES = ("train", "evaluate", "compose", "judge", "render", "report")
SHORTER = {"train.epochs": 1, "train.crops.passes": 1, "train.schedule.warmup_epochs": 0}


def long(project: Path, *, without_avx512: bool) -> None:
    """Compare every file that the stages write, at HEAD, for both networks."""
    with tempfile.TemporaryDirectory(prefix="kantor-elsewhere-") as folder:
        clone = Path(folder) / "clone"
        repository.clone(project, clone)
        for stage in SHARED_STAGES:
            print(stage, flush=True)
            _run(stage, clone, {})

        def work(variables: dict[str, str], tell: Callable[[str], None]) -> Results:
            return _outputs(clone, variables, tell)

        check.compare(processors.FEW, work, without_avx512)


def _outputs(clone: Path, variables: dict[str, str], tell: Callable[[str], None]) -> Results:
    """Run the stages in copies of the clone; a hash of each file by network and path."""
    results = {}
    for name, changes in NETWORKS.items():
        with tempfile.TemporaryDirectory(dir=clone.parent) as parent:
            folder = Path(parent) / "copy"
            shutil.copytree(clone, folder, ignore=shutil.ignore_patterns(".git"))
            settings = folder / "params.yaml"
            changed = params.change(params.content(settings), changes | SHORTER)
            settings.write_text(core_yaml.dump(changed))
            for stage in STAGES:
                tell(f"{name} {stage}")
                before = _files(folder)
                _run(stage, folder, variables)
                written = _files(folder)
                for path in sorted(written, key=str):
                    if written[path] != before.get(path):
                        content = (folder / path).read_bytes()
                        results[f"{name} {stage}", path] = hashlib.sha256(content).hexdigest()
    return results


def _files(folder: Path) -> dict[str, int]:
    """When each file below models/ and reports/ was written, in nanoseconds, by its path."""
    paths = [path for name in ("models", "reports") for path in (folder / name).rglob("*")]
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in paths if p.is_file()}


def _run(stage: str, folder: Path, variables: dict[str, str]) -> None:
    """Run a stage; CalledProcessError has the end of what it wrote."""
    command = [sys.executable, "-m", f"stages.{stage}"]
    # The folder comes first, or else the installed kantor may be imported.
    environment = os.environ | variables | {"PYTHONPATH": str(folder)}
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if finished.returncode:
        raise subprocess.CalledProcessError(
            finished.returncode, command, stderr=finished.stderr[-1000:]
        )
