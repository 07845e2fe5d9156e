"""Search for better settings: many trainings, each judged by its validation loss.

    python -m study.search
    python -m study.search --storage postgresql://user@host/kantor

Goes through the trials that study/search.yaml asks for, and writes what was found to
reports/study/search, in a folder by its name. On one machine nothing else is needed, and a search
that was stopped or killed goes on when it is called again. With a database, the same command on
any number of machines shares the trials. The same seed and one worker give the same trials.

A trial trains in a folder of its own (study/searches), where the test split is not, and on a
machine with several graphics cards on as many as can share a batch evenly.
"""

import argparse
import shutil
import subprocess
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from kantor import params
from kantor.system import errors
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from study import found, run, space, trainings
from study.storage import Lock
from study.trials import MOST_DEATHS, Claim, Trials, place

SEARCHES = run.PROJECT / "study/searches"
REPORT = run.PROJECT / "reports/study/search"
POLL_SECONDS = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m study.search", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--yaml", type=Path, default=run.PROJECT / "study/search.yaml")
    parser.add_argument("--storage", help="a database that several machines share")
    parser.add_argument("--dead-after", type=int, default=60, metavar="SECONDS")
    chosen = parser.parse_args()

    search = space.load(chosen.yaml, run.PROJECT)
    settings = params.load(run.PROJECT / "params.yaml")
    depends = settings.model_dump(include=trainings.DEPENDS)
    depends |= {"records": trainings.records(), "code": trainings.code()}
    folder = SEARCHES / search.name
    try:
        trials = Trials(
            search, depends, search.present(settings), folder, chosen.storage, chosen.dead_after
        )
        work(search, trials, folder)
        with Lock(folder / "report.lock"):
            found.write(search, trials, REPORT / search.name)
    except optuna.exceptions.StorageInternalError as error:
        raise KantorError(f"the database: {str(error).splitlines()[0]}; call again") from None
    if missing := search.trials - trials.ended():
        raise KantorError(
            f"{missing} of {search.trials} trials are missing, given up after {MOST_DEATHS} "
            f"workers or trainings had died over each; {folder} has what the trainings said"
        )


def work(search: space.Search, trials: Trials, folder: Path) -> None:
    """Go through the trials, until none waits and nobody works on one."""
    with Progress("search", search.trials, "trials", trials.ended()) as progress:
        worker = Worker(trials, folder, trainings.cards(), progress)
        while (claim := trials.claim()) or trials.left():
            if claim:
                worker.run(claim)
                worker.catch_up(f"trial {claim.place} ended")
            else:
                time.sleep(POLL_SECONDS)
                worker.catch_up("the last trials are with others")


class Worker:
    """Runs trials one after the other."""

    def __init__(self, trials: Trials, folder: Path, cards: int, progress: Progress) -> None:
        self._trials, self._folder = trials, folder
        self._cards, self._progress = cards, progress
        self._shown = trials.ended()

    def run(self, claim: Claim) -> None:
        """Train with the settings of a trial, and tell its end.

        A setting that can't be trained counts as pruned. KantorError tells of a training that
        fails for another reason than its settings; the trial is then for others to try.
        """
        try:
            self._train(claim)
        except optuna.exceptions.UpdateFinishedTrialError:
            pass  # others took this worker for dead, and have the trial now
        except BaseException:
            self._trials.give_back(claim)
            raise
        finally:
            self._trials.let_go(claim.place)

    def catch_up(self, note: str) -> None:
        """Show the trials that were ended meanwhile, by whichever worker."""
        ended, best = self._trials.ended(), self._trials.best()
        if best:
            note += f"; the best is trial {place(best)} with {best.value:.4f}"
        self._progress.advance(note, ended - self._shown)
        self._shown = ended

    def _train(self, claim: Claim) -> None:
        folder = self._folder / str(claim.place)
        try:
            trainings.prepare(folder, trainings.on_all(self._cards, claim.changes), claim.again)
        except KantorError as error:
            self._refuse(claim, str(error))
            return
        process = trainings.start(folder)
        try:
            self._watch(claim, process, folder)
        finally:
            trainings.end(process)

    def _watch(self, claim: Claim, process: subprocess.Popen, folder: Path) -> None:
        """Report epochs as they come, until the training ends or is pruned."""
        reported, last = 0, trainings.last_epoch(folder)
        while True:
            over = process.poll() is not None  # before the history, so that none of it is missed
            history = trainings.epochs(folder)
            if not self._trials.beat(claim):
                return
            for row in history[reported:]:
                reported += 1
                claim.trial.report(row["valid_loss"], reported)
                if reported < last and claim.trial.should_prune():
                    trainings.end(process)
                    if self._trials.tell(claim, TrialState.PRUNED):
                        shutil.rmtree(folder / "models")
                    return
            if over:
                break
            losses = [row["valid_loss"] for row in history]
            doing = f"epoch {len(losses) + 1}" if len(losses) < last else "scoring"
            lowest = f", lowest {min(losses):.4f} on windows" if losses else ""
            self.catch_up(f"trial {claim.place}, {doing}{lowest}")
            time.sleep(POLL_SECONDS)
        if process.returncode == 0:
            if self._trials.tell(claim, TrialState.COMPLETE, trainings.loss(folder)):
                shutil.rmtree(folder / "models")
            return
        said = (folder / "train.log").read_text(errors="replace").splitlines() or ["nothing"]
        # Of all errors, those about settings are the ones that name their file.
        if not (said[-1].startswith("error: ") and "params.yaml" in said[-1]):
            # It counts as a death: what crashes whenever it is tried would hold up the others.
            self._trials.tell(claim, TrialState.FAIL)
            raise KantorError(f"{folder}: the training ended in the middle, saying: {said[-1]}")
        self._refuse(claim, said[-1].removeprefix("error: "))

    def _refuse(self, claim: Claim, why: str) -> None:
        if claim.place == 0:
            raise KantorError(f"the very first trial can't be trained: {why}")
        claim.trial.set_user_attr("refused", why)
        self._trials.tell(claim, TrialState.PRUNED)


if __name__ == "__main__":
    errors.run(main)
