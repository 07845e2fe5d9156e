"""`kantor reproduce --elsewhere`: the same work here and as other processors, compared."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from kantor.elsewhere import processors, verdict
from kantor.elsewhere.simulation import simulation
from kantor.elsewhere.verdict import CONTROL, HERE, Results
from kantor.system.errors import KantorError
from kantor.system.progress import Progress

# What is compared, unless asked for less: all of kantor.elsewhere.operations.
GROUPS = ("numpy", "sound", "gru", "start", "row_gru", "wavenet_lstm")
STEPS = 3

# Does the work with some more environment variables; it is given what to tell of its progress to.
Work = Callable[[dict[str, str], Callable[[str], None]], Results]


def short(
    *,
    without_avx512: bool = False,
    names: tuple[str, ...] = processors.CHOICE,
    groups: Iterable[str] = GROUPS,
    steps: int = STEPS,
) -> None:
    """Compare single operations at their real sizes, and a few steps of training."""
    options = [*groups, CONTROL, "--steps", str(steps)]
    compare(names, lambda *progress: _operations(options, *progress), without_avx512)


def compare(names: tuple[str, ...], work: Work, without_avx512: bool) -> None:
    """Do the work here and as each of the processors, and print the table.

    KantorError if results differ, or if no difference could have been seen.
    """
    here = processors.flags()
    able = processors.possible(names, here)
    with simulation() as simulated:
        variables = {HERE: {}} | {one.name: simulated.environment(one) for one in able}
        cores = len(os.sched_getaffinity(0))
        with (
            Progress("compare", len(variables), "processors") as progress,
            ThreadPoolExecutor(cores) as pool,
        ):

            def as_one(name: str) -> Results:
                try:
                    results = work(
                        variables[name], lambda what: progress.advance(f"{name}: {what}", 0)
                    )
                except subprocess.CalledProcessError as error:
                    raise KantorError(f"as {name}: {error}\n{error.stderr}") from None
                progress.advance(name)
                return results

            columns = dict(zip(variables, pool.map(as_one, variables), strict=True))
        counts = {one.name: simulated.counts(one) for one in able}

    print(f"\n{verdict.table(columns)}\n")
    if differences := verdict.names(columns):
        print(f"What differs:\n{differences}\n")
    for name, (replaced, answered) in counts.items():
        print(f"{name}: {replaced} instructions replaced, {answered} answered")
    print("\n".join(processors.not_shown(names, here)), flush=True)
    verdict.judge(columns, counts, wide="avx512f" in here or without_avx512)


def _operations(
    options: list[str], variables: dict[str, str], tell: Callable[[str], None]
) -> Results:
    command = [sys.executable, "-m", "kantor.elsewhere.operations", *options]
    results = {}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            for line in process.stdout:
                group, name, digest = json.loads(line)
                results[group, name] = digest
                tell(group)
            if code := process.wait():
                log.seek(0)
                raise subprocess.CalledProcessError(code, command, stderr=log.read()[-1000:])
        finally:
            process.kill()
            process.wait()
    return results
