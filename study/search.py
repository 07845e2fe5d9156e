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

from kantor import checkpoint, errors, params, training
from kantor.errors import KantorError
from kantor.progress import Progress
from study import found, run, space
from study.trials import Trials

SEARCHES = run.PROJECT / "study/searches"
RECORDS = run.PROJECT / "data/records"
REPORT = run.PROJECT / "reports/study/search"
TRAINING = [sys.executable, "-m", "stages.train"]
POLL_SECONDS = 1.0
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
    folder = SEARCHES / search.name
    trials = Trials(
        search,
        run.relevant(settings),
        search.present(settings),
        folder,
        chosen.storage,
        chosen.dead_after,
    )
    replicas = cards()
    with Progress("search", search.trials, "trials", trials.ended()) as progress:
        worker = Worker(search, trials, folder, replicas, progress)
        while (trial := trials.claim()) or trials.running():
            if trial:
                worker.run(trial)
            else:
                time.sleep(POLL_SECONDS)
            worker.catch_up("the last trials are with others")
    found.write(search, trials, chosen.report)


class Worker:
    """Runs trials one after the other."""

    def __init__(
        self, search: space.Search, trials: Trials, folder: Path, replicas: int, progress: Progress
    ) -> None:
        self._search, self._trials, self._folder = search, trials, folder
        self._replicas, self._progress = replicas, progress
        self._shown = trials.ended()

    def run(self, trial: optuna.Trial) -> None:
        """Train with the settings of a trial, and tell its end.

        A setting that can't be trained counts as pruned. KantorError tells of a training that
        fails for another reason than its settings; the trial is then for others to try.
        """
        changes = self._search.draw(trial)
        place = self._folder / str(self._trials.place(self._trials.frozen(trial.number)))
        try:
            prepare(place, changes, self._replicas)
            process = start(place)
        except KantorError as error:
            self._refuse(trial, str(error))
            return
        try:
            self._watch(trial, process, place)
        except BaseException:
            self._trials.give_back(trial)
            raise
        finally:
            process.kill()
            process.wait()

    def catch_up(self, note: str) -> None:
        """Show the trials that were ended meanwhile, by whichever worker."""
        ended = self._trials.ended()
        self._progress.advance(note, ended - self._shown)
        self._shown = ended

    def _watch(self, trial: optuna.Trial, process: subprocess.Popen, place: Path) -> None:
        reported, last = 0, last_epoch(place)
        while True:
            ended = process.poll() is not None  # before the history, so that none of it is missed
            history = epochs(place)
            for row in history[reported:]:
                reported += 1
                try:
                    trial.report(row["valid_loss"], reported)
                except optuna.exceptions.UpdateFinishedTrialError:
                    return  # others took this worker for dead
                if reported < last and trial.should_prune():
                    self._trials.tell(trial, None, TrialState.PRUNED)
                    return
            if ended:
                break
            self._trials.beat()
            losses = [row["valid_loss"] for row in history]
            best = f", lowest {min(losses):.4f}" if losses else ""
            self.catch_up(f"trial {trial.number}, epoch {len(losses) + 1}{best}")
            time.sleep(POLL_SECONDS)
        if process.returncode == 0:
            self._trials.tell(trial, loss(place), TrialState.COMPLETE)
            shutil.rmtree(place / "models")
        else:
            said = (place / "train.log").read_text(errors="replace").splitlines() or ["nothing"]
            if process.returncode != 1 or not said[-1].startswith("error: "):
                raise KantorError(f"{place}: the training ended in the middle, saying: {said[-1]}")
            self._refuse(trial, said[-1].removeprefix("error: "))

    def _refuse(self, trial: optuna.Trial, why: str) -> None:
        trial.set_user_attr("refused", why)
        if trial.number == 0:
            self._trials.give_back(trial)
            raise KantorError(f"the very first trial can't be trained: {why}")
        self._trials.tell(trial, None, TrialState.PRUNED)


def prepare(place: Path, changes: dict[str, object], replicas: int) -> None:
    """A folder with the settings, and the records but those of the test split.

    A training that was begun there with the same settings goes on.
    """
    plain = params.load(run.PROJECT / "params.yaml", changes)
    if replicas > 1 and plain.train.batch_size % replicas == 0:
        changes = changes | {"train.replicas": replicas}
        plain = params.load(run.PROJECT / "params.yaml", changes)
    written = place / "params.yaml"
    if place.exists() and not (written.exists() and params.load(written) == plain):
        shutil.rmtree(place)
    run.settle(place, changes)
    (place / "data/records").mkdir(parents=True, exist_ok=True)
    for path in [*RECORDS.glob("train_*"), *RECORDS.glob("valid_*")]:
        link = place / "data/records" / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def start(place: Path) -> subprocess.Popen:
    """Begin the training in a folder; it dies with this process."""
    libc = ctypes.CDLL(None)
    die_with_parent = 1  # PR_SET_PDEATHSIG of prctl(2)
    with (place / "train.log").open("wb") as log:
        return subprocess.Popen(
            TRAINING,
            cwd=place,
            env=os.environ | {"PYTHONPATH": str(run.PROJECT)},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: libc.prctl(die_with_parent, signal.SIGKILL),
        )


def epochs(place: Path) -> list[dict[str, float]]:
    """The history so far, of all members in turn."""
    finished = place / "reports/training.csv"
    if finished.exists():
        return pd.read_csv(finished).to_dict("records")
    paths = (place / "models/checkpoints").glob("*.npz")
    members = sorted(paths, key=lambda path: int(path.stem))
    return [row for path in members for row in checkpoint.history(path)]


def last_epoch(place: Path) -> int:
    """How many epochs the training in a folder has, of all members in turn."""
    settings = params.load(place / "params.yaml")
    return settings.model.members * settings.train.epochs


def loss(place: Path) -> float:
    """What a trial is judged by: the validation loss of the epoch that was kept, nats a note;
    of several members the mean.
    """
    settings = params.load(place / "params.yaml").train
    histories = pd.read_csv(place / "reports/training.csv").groupby("member")
    kept = []
    for _, rows in histories:
        history = rows.to_dict("records")
        kept.append(history[training.kept(history, settings)]["valid_loss"])
    return float(sum(kept) / len(kept))


def cards() -> int:
    """How many graphics cards there are, asked in a process that then lets go of them."""
    command = [sys.executable, "-c", COUNT_CARDS]
    said = subprocess.run(command, cwd=run.PROJECT, capture_output=True, text=True).stdout.strip()
    return int(said) if said.isdigit() else 0


if __name__ == "__main__":
    errors.run(main)
