"""Search for better settings: many trainings, each judged by its validation loss.

    python -m study.search
    python -m study.search --storage postgresql://user@host/kantor

Runs the trials that study/search.yaml asks for, and writes what came of them to
reports/study/search. Stopped or killed, it goes on when called again. With a database, the same
command in several clones, on as many machines, shares the trials.
"""

import argparse
import fcntl
import json
import shutil
import sys
import time
from contextlib import closing
from pathlib import Path

import optuna
from optuna.samplers import PartialFixedSampler, TPESampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from kantor import params
from kantor.system import atomic, errors
from kantor.system.errors import KantorError
from kantor.system.progress import Progress
from study import database, results, run, space, training, trials


class SurplusError(Exception):
    """As many trials as asked for have ended or are being run: others were faster."""


def main() -> None:
    parser = argparse.ArgumentParser("python -m study.search", description=__doc__.split("\n")[0])
    parser.add_argument("--yaml", type=Path, default=run.PROJECT / "study/search.yaml")
    parser.add_argument("--storage", help="the PostgreSQL database that several clones share")
    options = parser.parse_args()

    search = space.load(options.yaml, run.PROJECT / "params.yaml")
    folder = run.PROJECT / "study/searches" / search.name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "trials.db"
    url = options.storage or database.url(file)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not options.storage:
                database.check(file)
            study = trials.begin(search, training.identity(), url, not options.storage)
            Worker(search, study, folder).work()
        except BlockingIOError:
            raise KantorError(
                f"{folder}: another worker is there; begin one in another clone, with --storage"
            ) from None
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
            reason = str(error).splitlines()[0]
            raise KantorError(
                f"{url}: {reason}; expected a database that is there, and --storage to be like "
                "postgresql://user@host/kantor"
                if options.storage
                else f"{file}: {reason}; expected a file that can be written, and room for it"
            ) from None
        results.write(search, study, run.PROJECT / "reports/study/search" / search.name)


class Worker:
    """Runs trials, each in a folder of its own within `folder`, where no other worker is."""

    def __init__(self, search: space.Search, study: optuna.Study, folder: Path) -> None:
        self._search, self._study, self._folder = search, study, folder

    def work(self) -> None:
        """Run trials until as many have ended as are asked for."""
        self._ended = trials.ended(self._study)
        with Progress("search", self._search.trials, "trials", self._ended) as self._progress:
            while self._ended < self._search.trials:
                optuna.storages.fail_stale_trials(self._study)
                running = self._study.get_trials(states=[TrialState.RUNNING])
                if self._ended + len(running) < self._search.trials:
                    # Each trial reads params.yaml and the code anew.
                    trials.check(self._study, self._search, training.identity())
                    self._study.optimize(self.run, n_trials=1, catch=(SurplusError,))
                    self._show("a trial ended")
                else:  # which may still fail
                    time.sleep(training.POLL_SECONDS)
                    self._show("other workers run the last trials")

    def run(self, trial: optuna.Trial) -> float:
        """Train with what a trial draws; its loss on the validation pieces, nats a note.

        Settings that can't be trained count as pruned. What fails otherwise is to be run again.
        """
        busy = self._study.get_trials(states=[TrialState.RUNNING, *trials.ENDED])
        if sum(other.number < trial.number for other in busy) >= self._search.trials:
            raise SurplusError
        place, again = trials.place(self._study, self._now(trial))
        tpe = TPESampler(seed=(self._search.seed * 100_003 + place) % 2**32)
        present = self._search.present(params.content(run.PROJECT / "params.yaml"))
        self._study.sampler = PartialFixedSampler({} if place else present, tpe)
        changes, folder = self._search.draw(trial), self._folder / str(place)
        pruned, epoch = False, 0
        try:
            epochs = training.prepare(folder, changes, again)
            with closing(training.train(folder)) as losses:
                for loss in losses:
                    if self._now(trial).state is not TrialState.RUNNING:
                        # An Exception would let Optuna tell the end of a trial that has one.
                        sys.exit(f"another worker took trial {place} over: this one seemed dead")
                    if loss is not None:
                        epoch += 1
                        trial.report(loss, epoch)
                        if pruned := epoch < epochs and trial.should_prune():
                            break
                    self._show(f"trial {place}, {epoch} of {epochs} epochs")
        except (KantorError, OSError, KeyboardInterrupt) as error:
            # Of all errors, those about settings are the ones that name their file.
            about_settings = isinstance(error, KantorError) and "params.yaml" in str(error)
            if place and about_settings and not isinstance(error, atomic.OutputError):
                trial.set_user_attr("refused", str(error).rpartition("train.log: ")[2])
                raise optuna.TrialPruned from None
            trials.retry(self._study, self._now(trial))
            raise
        shutil.rmtree(folder / "models")
        if pruned:
            raise optuna.TrialPruned
        return json.loads((folder / "reports/valid.json").read_text())["loss"]

    def _now(self, trial: optuna.Trial) -> optuna.trial.FrozenTrial:
        return self._study.get_trials()[trial.number]

    def _show(self, note: str) -> None:
        before, self._ended = self._ended, trials.ended(self._study)
        self._progress.advance(note, self._ended - before)


if __name__ == "__main__":
    errors.run(main)
