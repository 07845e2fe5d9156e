"""The trials of a search, shared by all who name the same storage: workers that claim a trial,
tell its end, and take up what a dead worker left.

All trials are there from the start, waiting; so the search ends with the number asked for,
however many work on it. Who works on a trial shows that it is alive: in a database by a
heartbeat, beside a journal file by a lock that the system takes away from the dead. A trial
whose worker is dead is marked failed, and another one with the same settings waits in its place.
"""

import fcntl
import os
import time
import warnings
from pathlib import Path

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from kantor.errors import KantorError
from study.space import Search

BEATS = 6  # of the heart, in the time after which a worker that shows none is dead
TRIES_TO_OPEN = 5
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
optuna.logging.set_verbosity(optuna.logging.WARNING)


class Trials:
    """One search in a storage: `url` of a database, or a journal file in `folder`.

    `first` is what the first trial is given instead of drawing it. Who shows no heartbeat in
    a database for `dead_after` seconds is dead. KantorError tells of a database that can't be
    reached, and of a search of that name with other `settings`.
    """

    def __init__(
        self,
        search: Search,
        settings: dict,
        first: dict,
        folder: Path,
        url: str | None = None,
        dead_after: int = 60,
    ) -> None:
        self._search, self._folder, self._dead_after = search, folder, dead_after
        folder.mkdir(parents=True, exist_ok=True)
        self._again = RetryHeartbeatStaleTrialCallback(max_retry=3)
        self._storage = self._database(url) if url else _journal(folder / "journal.log")
        self._locks: dict[int, int] = {}
        self._beaten = 0.0
        pruner = optuna.pruners.MedianPruner(
            search.pruning.startup_trials, search.pruning.warmup_epochs
        )
        begun = {"search": search.model_dump(mode="json"), "settings": settings}
        named = {"study_name": search.name, "storage": self._storage, "pruner": pruner}
        try:
            self.study = optuna.create_study(direction="minimize", **named)
        except optuna.exceptions.DuplicatedStudyError:
            self.study = optuna.load_study(**named)
            self._joined(begun)
        else:
            for number in range(search.trials):
                self.study.enqueue_trial({} if number else first)
            self.study.set_user_attr("begun", begun)

    def claim(self) -> optuna.Trial | None:
        """A waiting trial, now this worker's; None if there is none."""
        self._revive()
        study_id = self._storage.get_study_id_from_name(self._search.name)
        # What is to be tried again comes first, where it would have come.
        for waiting in sorted(self._in(TrialState.WAITING), key=self.place):
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(
                study_id, waiting.number
            )
            if not self._hold(waiting.number):
                continue
            # Before the claim: who dies in between must leave no trial that seems alive.
            self._beat(trial_id)
            if not self._claimed(trial_id):
                self._let_go(waiting.number)
                continue
            # Of its own for each trial: so a search that goes on draws as if undisturbed.
            seed = (self._search.seed * 100_003 + self.place(waiting)) % 2**32
            self.study.sampler = optuna.samplers.TPESampler(seed=seed)
            trial, self._claimed_id = optuna.Trial(self.study, trial_id), trial_id
            trial.set_user_attr("pid", os.getpid())
            return trial
        return None

    def beat(self) -> None:
        """Show that the worker on the claimed trial is alive; to be called every second or so."""
        if time.monotonic() - self._beaten > self._dead_after / BEATS:
            self._beat(self._claimed_id)

    def tell(self, trial: optuna.Trial, value: float | None, state: TrialState) -> bool:
        """End a trial; False if others took this worker for dead, and gave it to another."""
        try:
            self.study.tell(trial, value, state)
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            return False
        finally:
            self._let_go(trial.number)
        return True

    def give_back(self, trial: optuna.Trial) -> None:
        """Let others begin a trial again, at once."""
        if self.tell(trial, None, TrialState.FAIL):
            self._again(self.study, self.frozen(trial.number))

    def place(self, trial: FrozenTrial) -> int:
        """The number of the trial that this one repeats, or its own."""
        history = RetryHeartbeatStaleTrialCallback.retry_history(trial)
        return history[0] if history else trial.number

    def ended(self) -> int:
        """How many trials were completed or pruned."""
        return len(self._in(TrialState.COMPLETE, TrialState.PRUNED))

    def running(self) -> bool:
        """Whether others work on a trial still."""
        return bool(self._in(TrialState.RUNNING))

    def all(self) -> list[FrozenTrial]:
        """All trials, those that failed too."""
        return self.study.get_trials(deepcopy=False)

    def _database(self, url: str) -> RDBStorage:
        """Workers that begin at the same moment may all try to make the tables."""
        for left in reversed(range(TRIES_TO_OPEN)):
            try:
                return RDBStorage(
                    url,
                    heartbeat_interval=max(1, self._dead_after // BEATS),
                    grace_period=self._dead_after,
                    heartbeat_stale_trial_callback=self._again,
                )
            except (SQLAlchemyError, ImportError) as error:
                if not left or isinstance(error, ImportError):
                    found = str(error).splitlines()[0]
                    raise KantorError(
                        f"--storage: can't be opened: {found}; expected the address of a "
                        "database that is there, such as postgresql://user@host/kantor"
                    ) from None
                time.sleep(1)
        raise AssertionError

    def _joined(self, begun: dict) -> None:
        """Wait until whoever began the search has queued its trials; is it the same search?"""
        for _ in range(60):
            found = self.study.user_attrs.get("begun")
            if found:
                break
            time.sleep(0.5)
        else:
            raise KantorError(
                f"search {self._search.name}: was begun, but its trials never came; give it "
                "another name in the YAML file"
            )
        if found != begun:
            raise KantorError(
                f"search {self._search.name}: was begun with other settings in the YAML file or "
                "in params.yaml; take those again, or give it another name"
            )

    def _revive(self) -> None:
        """Mark trials of dead workers failed, and let them be tried again."""
        fail_stale_trials(self.study)
        if isinstance(self._storage, RDBStorage):
            return
        for trial in self._in(TrialState.RUNNING):
            if trial.number not in self._locks and self._hold(trial.number):
                # Read again: it may have ended before its lock was let go.
                if self.frozen(trial.number).state is TrialState.RUNNING:
                    self.study.tell(trial.number, state=TrialState.FAIL)
                    self._again(self.study, self.frozen(trial.number))
                self._let_go(trial.number)

    def _in(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states)

    def frozen(self, number: int) -> FrozenTrial:
        """What the storage has of a trial."""
        return self.study.get_trials(deepcopy=True)[number]

    def _claimed(self, trial_id: int) -> bool:
        try:
            return self._storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def _beat(self, trial_id: int) -> None:
        self._beaten = time.monotonic()
        if isinstance(self._storage, RDBStorage):
            self._storage.record_heartbeat(trial_id)

    def _hold(self, number: int) -> bool:
        """Take the lock of a trial, which nobody else on this machine has as long as we live."""
        if isinstance(self._storage, RDBStorage):
            return True
        file = os.open(self._folder / f"{number}.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._locks[number] = file
        return True

    def _let_go(self, number: int) -> None:
        if number in self._locks:
            os.close(self._locks.pop(number))


def _journal(path: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(path)))
