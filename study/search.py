"""Search for better settings: many trainings, each judged by its validation loss.

    python -m study.search
    python -m study.search --storage postgresql://user@host/kantor

Goes through the trials that study/search.yaml asks for, and writes what was found to
reports/study/search. On one machine nothing else is needed, and a search that was stopped or
killed goes on when it is called again. With a database, the same command on any number of
machines shares the trials. The same seed and one worker give the same trials.

Each trial is a training in a process and folder of its own (study/searches), by the stage of
the pipeline, on the training and validation records alone: the test split is not there. On a
machine with several graphics cards a trial trains on all of them.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pandas as pd
from optuna.trial import TrialState

from kantor import checkpoint, errors, params, schedule
from kantor.errors import KantorError
from kantor.progress import Progress
from study import found, run, space
from study.storage import Lock
from study.trials import MOST_DEATHS, Claim, Trials

SEARCHES = run.PROJECT / "study/searches"
RECORDS = run.PROJECT / "data/records"
REPORT = run.PROJECT / "reports/study/search"
TRAINING = [sys.executable, "-m", "stages.train"]
POLL_SECONDS = 1.0
DEPENDS = {"seed", "threads", "model", "train"}  # what a training depends on in params.yaml
COUNT_CARDS = "from kantor import runtime; print(runtime.cards())"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m study.search", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--yaml", type=Path, default=run.PROJECT / "study/search.yaml")
    parser.add_argument("--storage", help="a database that several machines share")
    parser.add_argument("--dead-after", type=int, default=60, metavar="SECONDS")
    parser.add_argument("--report", type=Path, default=REPORT, help="a folder for what was found")
    chosen = parser.parse_args()

    search = space.load(chosen.yaml, run.PROJECT)
    if not (RECORDS / "train_pieces.tfrecord").exists():
        raise KantorError(f"{RECORDS}: no records there; run `dvc repro preprocess` first")
    settings = params.load(run.PROJECT / "params.yaml")
    if settings.preprocess.train_on_test:
        raise KantorError(
            "params.yaml: preprocess.train_on_test: a search may not see the test split"
        )
    depends = settings.model_dump(include=DEPENDS)
    folder = SEARCHES / search.name
    try:
        trials = Trials(
            search, depends, search.present(settings), folder, chosen.storage, chosen.dead_after
        )
        work(search, trials, folder)
        with Lock(folder / "report.lock"):
            found.write(search, trials, chosen.report)
    except optuna.exceptions.StorageInternalError as error:
        raise KantorError(f"the database: {str(error).splitlines()[0]}; call again") from None
    if missing := search.trials - trials.ended():
        raise KantorError(
            f"{missing} of {search.trials} trials are missing: their workers died {MOST_DEATHS} "
            f"times; {folder} has what the trainings said"
        )


def work(search: space.Search, trials: Trials, folder: Path) -> None:
    """Go through the trials, until none waits and nobody works on one."""
    with Progress("search", search.trials, "trials", trials.ended()) as progress:
        worker = Worker(search, trials, folder, cards(), progress)
        while (claim := trials.claim()) or trials.left():
            if claim:
                worker.run(claim)
            else:
                time.sleep(POLL_SECONDS)
            worker.catch_up("the last trials are with others")


class Worker:
    """Runs trials one after the other."""

    def __init__(
        self, search: space.Search, trials: Trials, folder: Path, cards: int, progress: Progress
    ) -> None:
        self._search, self._trials, self._folder = search, trials, folder
        self._cards, self._progress = cards, progress
        self._shown = trials.ended()

    def run(self, claim: Claim) -> None:
        """Train with the settings of a trial, and tell its end.

        A setting that can't be trained counts as pruned. KantorError tells of a training that
        fails for another reason than its settings; the trial is then for others to try.
        """
        folder = self._folder / str(claim.place)
        try:
            prepare(folder, on_all(self._cards, claim.changes))
        except KantorError as error:
            self._refuse(claim, str(error))
            return
        process = start(folder)
        try:
            self._watch(claim, process, folder)
        except BaseException:
            end(process)
            self._trials.give_back(claim)
            raise
        finally:
            end(process)

    def catch_up(self, note: str) -> None:
        """Show the trials that were ended meanwhile, by whichever worker."""
        ended = self._trials.ended()
        self._progress.advance(note, ended - self._shown)
        self._shown = ended

    def _watch(self, claim: Claim, process: subprocess.Popen, folder: Path) -> None:
        """Report epochs as they come, until the training ends or is pruned."""
        reported, last = 0, last_epoch(folder)
        while True:
            over = process.poll() is not None  # before the history, so that none of it is missed
            history = epochs(folder)
            if not self._trials.beat(claim):
                return
            for row in history[reported:]:
                reported += 1
                claim.trial.report(row["valid_loss"], reported)
                if reported < last and claim.trial.should_prune():
                    end(process)
                    self._trials.tell(claim, TrialState.PRUNED)
                    return
            if over:
                break
            losses = [row["valid_loss"] for row in history]
            best = f", lowest {min(losses):.4f}" if losses else ""
            self.catch_up(f"trial {claim.place}, epoch {len(losses) + 1}{best}")
            time.sleep(POLL_SECONDS)
        if process.returncode == 0:
            if self._trials.tell(claim, TrialState.COMPLETE, loss(folder)):
                shutil.rmtree(folder / "models")
            return
        said = (folder / "train.log").read_text(errors="replace").splitlines() or ["nothing"]
        # Of all errors, those about settings are the ones that name their file.
        if not (said[-1].startswith("error: ") and "params.yaml" in said[-1]):
            raise KantorError(f"{folder}: the training ended in the middle, saying: {said[-1]}")
        self._refuse(claim, said[-1].removeprefix("error: "))

    def _refuse(self, claim: Claim, why: str) -> None:
        if claim.place == 0:
            self._trials.give_back(claim)
            raise KantorError(f"the very first trial can't be trained: {why}")
        claim.trial.set_user_attr("refused", why)
        self._trials.tell(claim, TrialState.PRUNED)


def on_all(cards: int, changes: dict[str, object]) -> dict[str, object]:
    """The changes, with a replica on as many cards as can share a batch evenly."""
    if cards < 2 or "train.replicas" in changes:
        return changes
    batch = params.load(run.PROJECT / "params.yaml", changes).train.batch_size
    most = max(count for count in range(1, cards + 1) if batch % count == 0)
    return changes | {"train.replicas": most}


def prepare(folder: Path, changes: dict[str, object]) -> None:
    """A folder with the settings, and the records but those of the test split.

    A training that was begun there with the same settings goes on.
    """
    settings = params.load(run.PROJECT / "params.yaml", changes)
    try:
        before = params.load(folder / "params.yaml").model_dump(include=DEPENDS)
    except KantorError:
        before = None
    if folder.exists() and before != settings.model_dump(include=DEPENDS):
        shutil.rmtree(folder)
    run.settle(folder, changes)
    (folder / "reports/training.csv").unlink(missing_ok=True)
    (folder / "data/records").mkdir(parents=True, exist_ok=True)
    for path in [*RECORDS.glob("train_*"), *RECORDS.glob("valid_*")]:
        link = folder / "data/records" / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def start(folder: Path) -> subprocess.Popen:
    """Begin the training in a folder; it dies with this process."""
    libc = ctypes.CDLL(None)
    die_with_parent = 1  # PR_SET_PDEATHSIG of prctl(2)
    with (folder / "train.log").open("wb") as log:
        return subprocess.Popen(
            TRAINING,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(run.PROJECT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: libc.prctl(die_with_parent, signal.SIGKILL),
        )


def end(process: subprocess.Popen) -> None:
    """See to it that a training has ended."""
    process.kill()
    process.wait()


def epochs(folder: Path) -> list[dict[str, float]]:
    """The history so far, of all members in turn."""
    finished = folder / "reports/training.csv"
    if finished.exists():
        return pd.read_csv(finished).to_dict("records")
    paths = (folder / "models/checkpoints").glob("*.npz")
    members = sorted(paths, key=lambda path: int(path.stem))
    return [row for path in members for row in checkpoint.history(path)]


def last_epoch(folder: Path) -> int:
    """How many epochs the training in a folder has, of all members in turn."""
    settings = params.load(folder / "params.yaml")
    return settings.model.members * settings.train.epochs


def loss(folder: Path) -> float:
    """What a trial is judged by: the validation loss of the epoch that was kept, nats a note;
    of several members the mean.
    """
    settings = params.load(folder / "params.yaml").train
    histories = pd.read_csv(folder / "reports/training.csv").groupby("member")
    kept = []
    for _, rows in histories:
        history = rows.to_dict("records")
        kept.append(history[schedule.kept(history, settings)]["valid_loss"])
    return float(sum(kept) / len(kept))


def cards() -> int:
    """How many graphics cards there are, asked in a process that then lets go of them."""
    command = [sys.executable, "-c", COUNT_CARDS]
    said = subprocess.run(command, cwd=run.PROJECT, capture_output=True, text=True).stdout.strip()
    return int(said) if said.isdigit() else 0


if __name__ == "__main__":
    errors.run(main)
