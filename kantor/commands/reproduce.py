"""Check that the commit at HEAD rebuilds to the same bits.

    kantor reproduce                      the whole pipeline, against dvc.lock
    kantor reproduce --quick              a tiny setting twice, against each other
    kantor reproduce --elsewhere          single operations, here and as other processors
    kantor reproduce --elsewhere --long   the pipeline, here and as other processors

The full check clones HEAD into a temporary folder, rebuilds all of it there without a cache
and compares every output with the committed dvc.lock. Under Linux, on any x86-64 processor with
AVX2 and with the pinned libraries, every output must be *identical*. Elsewhere a trained model
may end with other digits: then it, its scores and its plots are *within tolerance* if the
scores are close to the committed ones, and its samples may have other notes.

The quick check builds a second time under another home, language, time zone, hash seed and
TensorFlow environment, on one core, and demands identity. With --elsewhere this processor poses
as others, with other instructions and caches, and must give the same bits as them. That needs
Linux, a C compiler and requirements-dev.txt.

Exit code 0: all is as it should be; 1: something differs, or could not be built.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from kantor import params
from kantor.system import core_yaml, environment, repository
from kantor.system.dependencies import VERSIONS
from kantor.system.errors import KantorError

IDENTICAL, WITHIN, NOTES, DIFFERS = (
    "identical",
    "within tolerance",
    "other notes",
    "differs",
)
METRICS = "reports/metrics.json"
# What follows from the trained weights, and what an environment outside the promise may lead to.
ALLOWED = {
    "models/chorale.keras": WITHIN,
    "models/strikes.keras": WITHIN,
    "reports/training.csv": WITHIN,
    "reports/evaluation": WITHIN,
    METRICS: WITHIN,
    "reports/music": NOTES,
    "reports/music.json": NOTES,
    "reports/compositions": NOTES,
    "reports/samples": NOTES,
    "reports/probabilities": NOTES,
    "reports/pictures": NOTES,
    "reports/index.html": NOTES,
}
ANOTHER_KERAS = {
    "floatx": "float64",
    "epsilon": 1e-3,
    "backend": "jax",
    "image_data_format": "channels_first",
}
# Nothing of this may reach a bit of the outputs.
ANOTHER_ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "LANG": "C",
    "LC_ALL": "C",
    "LOGNAME": "somebody",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "1685",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TZ": "LATE-14",
    "USER": "somebody",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
}
# 26 hours behind the other build: a date in an output shows at any time of day.
FIRST_ENVIRONMENT = {"PYTHONHASHSEED": "0", "TZ": "EARLY+12"}


@dataclass(frozen=True)
class Row:
    """An output, the verdict on it, and its MD5 as expected and as rebuilt."""

    output: str
    verdict: str
    expected: str
    rebuilt: str


class Build:
    """A clone of a project's HEAD, and the pipeline run in it from nothing."""

    def __init__(self, project: Path, folder: Path, quick: bool) -> None:
        self.folder = folder
        self.log = folder.with_name(f"{folder.name}.log")
        repository.clone(project, folder)
        lock = folder / "dvc.lock"
        self.locked = outputs(lock) if lock.exists() else {}
        lock.unlink(missing_ok=True)
        if quick:
            shrink(folder / "params.yaml")

    def start(self, *, another: bool, shown: bool) -> subprocess.Popen:
        """Begin `dvc repro`, if `another` in another environment and on one core."""
        home = self.folder.with_name(f"{self.folder.name}.home")
        (home / ".keras").mkdir(parents=True)
        (home / ".keras/keras.json").write_text(json.dumps(ANOTHER_KERAS))
        variables = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # A cache that the user shares between projects must not help.
            "DVC_GLOBAL_CONFIG_DIR": str(home / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(home / "system"),
            "DVC_SITE_CACHE_DIR": str(home / "site"),
            **FIRST_ENVIRONMENT,
        }
        if another:
            variables |= ANOTHER_ENVIRONMENT | {"HOME": str(home)}
        cores = [min(os.sched_getaffinity(0))] if another else os.sched_getaffinity(0)
        command = [sys.executable, "-m", "dvc", "repro"]
        with self.log.open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=variables,
                stdout=None if shown else log,
                stderr=None if shown else subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )

    def outputs(self, building: subprocess.Popen) -> dict[str, str]:
        """Wait for the end of the build; MD5 by output."""
        try:
            failed = building.wait()
        finally:
            stop(building)
        if failed:
            last_lines = self.log.read_text(errors="replace").splitlines()[-15:]
            raise KantorError("\n".join(["`dvc repro` failed in the clone", *last_lines]))
        return outputs(self.folder / "dvc.lock")


def stop(building: subprocess.Popen) -> None:
    """End a build and the stage that it runs, if it still does."""
    if building.poll() is None:
        os.killpg(building.pid, signal.SIGKILL)
        building.wait()


def outputs(lock: Path) -> dict[str, str]:
    """MD5 by output, in the order of the stages, from a dvc.lock; KantorError if it is damaged."""
    try:
        stages = yaml.safe_load(lock.read_text("utf-8"))["stages"].values()
        return {out["path"]: out["md5"] for stage in stages for out in stage["outs"]}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError):
        raise KantorError(
            f"{lock}: empty or damaged, as a dvc that was ended while writing it leaves it; run "
            "`git checkout dvc.lock`, then `dvc repro`"
        ) from None


def change(path: Path, changes: dict[str, object]) -> None:
    """Set keys, such as `train.epochs`, in a params.yaml."""
    settings = params.change(params.content(path), changes)
    path.write_text(core_yaml.dump(settings))


def shrink(path: Path) -> None:
    """Make a params.yaml the tiny setting that its `reproduce.quick` describes.

    KantorError names a key of that setting that is wrong.
    """
    tiny = params.load(path).reproduce.quick
    try:
        params.load(path, tiny)
    except KantorError as error:
        raise KantorError(f"{error}, as reproduce.quick says") from None
    change(path, tiny)


def compare(
    expected: dict[str, str], rebuilt: dict[str, str], allowed: dict[str, str]
) -> list[Row]:
    """Judge every output; one that is not the same gets its `allowed` verdict, or differs."""
    rows = []
    for output in expected | rebuilt:
        before, after = expected.get(output, "none"), rebuilt.get(output, "none")
        verdict = IDENTICAL if before == after else allowed.get(output, DIFFERS)
        rows.append(Row(output, verdict, before, after))
    return rows


def close(expected: dict, rebuilt: dict, tolerance: params.Reproduce) -> bool:
    """Whether two metrics.json agree in loss and accuracy of both protocols, about."""
    splits = {name for name in ("valid", "test") if name in expected}
    if splits != {name for name in ("valid", "test") if name in rebuilt}:
        return False
    limits = {"loss": tolerance.loss_tolerance, "accuracy": tolerance.accuracy_tolerance}
    return all(
        abs(rebuilt[split][protocol][name] - expected[split][protocol][name]) <= limit
        for split in splits
        for protocol in ("pieces", "windows")
        for name, limit in limits.items()
    )


def full(project: Path, folder: Path) -> list[Row]:
    """Rebuild HEAD and compare it with its lock."""
    build = Build(project, folder / "rebuilt", quick=False)
    if not build.locked:
        raise KantorError("dvc.lock: HEAD has none; run `dvc repro` and commit it")
    committed = json.loads((build.folder / METRICS).read_text())
    settings = params.load(build.folder / "params.yaml")
    pinned = yaml.safe_load((build.folder / VERSIONS).read_text())
    rebuilt = build.outputs(build.start(another=False, shown=True))
    allowed = {}
    if reasons := environment.outside_promise(pinned, settings.train.replicas):
        print(f"\nOther bits are allowed here: {'; '.join(reasons)}.")
        if close(committed, json.loads((build.folder / METRICS).read_text()), settings.reproduce):
            allowed = ALLOWED
    return compare(build.locked, rebuilt, allowed)


def quick(project: Path, folder: Path) -> list[Row]:
    """Build the tiny setting twice, side by side, and compare the two."""
    one, other = (Build(project, folder / name, quick=True) for name in ("one", "other"))
    builds = one.start(another=False, shown=True), other.start(another=True, shown=False)
    try:
        return compare(one.outputs(builds[0]), other.outputs(builds[1]), {})
    finally:
        for building in builds:
            stop(building)


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"\n{'output':24} {'verdict':17} {'expected MD5':37} rebuilt MD5")
    for row in rows:
        print(f"{row.output:24} {row.verdict:17} {row.expected:37} {row.rebuilt}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="a tiny setting, twice")
    which.add_argument("--elsewhere", action="store_true", help="as other processors")
    parser.add_argument("--long", action="store_true", help="with --elsewhere: the pipeline")
    parser.add_argument(
        "--without-avx512",
        action="store_true",
        help="with --elsewhere: don't fail on a processor without AVX-512",
    )


def run(arguments: argparse.Namespace) -> None:
    project = Path.cwd()
    if (project / "dvc.lock").exists():
        outputs(project / "dvc.lock")
    if (arguments.long or arguments.without_avx512) and not arguments.elsewhere:
        raise KantorError("--long and --without-avx512 go with --elsewhere; add it")
    if arguments.elsewhere and not arguments.long:
        # Loaded where it is needed: no other check should wait for it.
        from kantor.elsewhere import check

        check.short(without_avx512=arguments.without_avx512)
        return
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True
    ).stdout
    if changed:
        print("note: the commit at HEAD is checked, without your uncommitted changes")
    record = environment.environment() | {
        "threads": params.load().threads,
        "cores": len(os.sched_getaffinity(0)),
    }
    for name, value in record.items():
        print(f"{name:12} {' '.join(value) if isinstance(value, list) else value}")
    print(flush=True)
    if arguments.elsewhere:
        from kantor.elsewhere import pipeline

        pipeline.long(project, without_avx512=arguments.without_avx512)
        return
    with tempfile.TemporaryDirectory(prefix="kantor-") as folder:
        rows = (quick if arguments.quick else full)(project, Path(folder))
    show(rows)
    different = [row.output for row in rows if row.verdict == DIFFERS]
    if different:
        raise KantorError(f"not the same bits: {', '.join(different)}")
