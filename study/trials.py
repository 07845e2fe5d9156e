"""The trials of a search, shared by all who name the same storage: workers that claim a trial,
tell its end, and take up what a dead worker left.

All trials are there from the start, waiting, each at its place; so the search ends with the
number asked for, however many work on it. Who works on a trial shows that it is alive: in a
database by a heartbeat, and on its machine by a lock that the system takes away from the dead.
A trial whose worker is dead is marked failed, and another one waits in its place.

Of several at a place only the first that has not failed may be run. So whoever sees a place
empty can fill it: if two do so at the same moment, one trial too many waits, and for ever.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.samplers import PartialFixedSampler, RandomSampler, TPESampler
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from kantor.system.errors import KantorError
from study import storage
from study.space import Search

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
MOST_DEATHS = 4  # of workers or trainings over one trial, before it is given up
SECONDS_TO_BEGIN = 10


@dataclass(frozen=True)
class Claim:
    """A trial that is this worker's, its place among those asked for, what it changes in
    params.yaml, by key, and whether somebody began it before.
    """

    trial: optuna.Trial
    trial_id: int
    place: int
    changes: dict[str, object]
    again: bool


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
        self._search, self._first, self._folder = search, first, folder
        self._heartbeat = dead_after / storage.BEATS if url else None
        self._beaten = 0.0
        self._locks: dict[int, storage.Lock] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if url:
            self._storage = storage.database(url, dead_after)
        else:
            self._storage = storage.journal(folder)
        pruning = search.pruning
        pruner = optuna.pruners.MedianPruner(pruning.startup_trials, pruning.warmup_epochs)
        named = {"study_name": search.name, "storage": self._storage, "pruner": pruner}
        begun = {"search": search.model_dump(mode="json"), "settings": settings}
        begun |= {"dead_after": dead_after} if url else {}
        try:
            self.study = optuna.create_study(direction="minimize", **named)
            self.study.set_user_attr("begun", begun)
            self._fill()
        except optuna.exceptions.DuplicatedStudyError:
            self.study = optuna.load_study(**named)
            self._join(begun)

    def claim(self) -> Claim | None:
        """A waiting trial, now this worker's; None if there is none."""
        self._fail_dead()
        self._fill()
        study_id = self._storage.get_study_id_from_name(self._search.name)
        # What is to be tried again comes first, where it would have come.
        for there in self._places():
            waiting = _current(there)
            if not waiting or waiting.state is not TrialState.WAITING:
                continue
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(
                study_id, waiting.number
            )
            if not self._hold(place(waiting)):
                continue
            # Before the claim: who dies in between must leave no trial that seems alive.
            self._beat(trial_id)
            if not self._claimed(trial_id):
                self.let_go(place(waiting))
                continue
            # The same settings as those before it, as far as they had come with them.
            before = [trial for trial in there if trial.number < waiting.number]
            given = {key: value for trial in before for key, value in trial.params.items()}
            sampler = PartialFixedSampler(self._drawn(waiting) | given, RandomSampler())
            self.study.sampler = sampler
            trial = optuna.Trial(self.study, trial_id)
            trial.set_user_attr("pid", os.getpid())
            changes = self._search.draw(trial)
            return Claim(trial, trial_id, place(waiting), changes, again=bool(before))
        return None

    def beat(self, claim: Claim) -> bool:
        """Show that the worker on a trial is alive, to be called every second or so; False if
        others took it for dead.
        """
        if self._heartbeat and time.monotonic() - self._beaten > self._heartbeat:
            self._beat(claim.trial_id)
        return self.all()[claim.trial.number].state is TrialState.RUNNING

    def tell(self, claim: Claim, state: TrialState, value: float | None = None) -> bool:
        """End a trial; False if others took this worker for dead, and gave it to another."""
        return self._ended(claim.trial.number, state, value)

    def give_back(self, claim: Claim) -> None:
        """Let others begin a trial again."""
        try:
            claim.trial.set_user_attr("given_back", True)
        except optuna.exceptions.UpdateFinishedTrialError:
            return  # others took this worker for dead
        if self.tell(claim, TrialState.FAIL):
            self._wait_at(claim.place)

    def let_go(self, number: int) -> None:
        """Let others on this machine have a place, once its training has ended."""
        if number in self._locks:
            self._locks.pop(number).release()

    def ended(self) -> int:
        """How many trials were completed or pruned."""
        currents = [_current(there) for there in self._places()]
        return sum(trial is not None and trial.state in ENDED for trial in currents)

    def best(self) -> FrozenTrial | None:
        """The completed trial of the lowest loss; None if there is none yet."""
        complete = self._in(TrialState.COMPLETE)
        return min(complete, key=lambda trial: trial.value, default=None)

    def left(self) -> bool:
        """Whether others work on a trial, or one waits or is to be tried again."""
        for there in self._places():
            trial = _current(there)
            if trial.state not in ENDED if trial else not _given_up(there):
                return True
        return False

    def all(self) -> list[FrozenTrial]:
        """All trials by number, those that failed too."""
        return self.study.get_trials(deepcopy=False)

    def _fill(self) -> None:
        """Let a trial wait at each place where there is none, or where all have failed."""

        def empty() -> list[int]:
            places = enumerate(self._places())
            return [at for at, there in places if not _current(there) and not _given_up(there)]

        for number in empty():
            if self._hold(number):
                # Somebody on this machine may have been faster.
                if number in empty():
                    self._wait_at(number)
                self.let_go(number)

    def _wait_at(self, number: int) -> None:
        self.study.enqueue_trial({} if number else self._first, user_attrs={"place": number})

    def _join(self, begun: dict) -> None:
        """Is it the same search? And are its trials there, or did who began it die over that?"""
        found, count, since = None, -1, time.monotonic()
        while time.monotonic() - since < SECONDS_TO_BEGIN:
            found = found or self.study.user_attrs.get("begun")
            trials = len(self.all())
            if found and trials >= self._search.trials:
                break
            if trials > count:
                count, since = trials, time.monotonic()
            time.sleep(0.5)
        if not found:  # who began it was killed before saying what it is
            self.study.set_user_attr("begun", found := begun)
        if found != begun:
            raise KantorError(
                f"search {self._search.name}: was begun with other settings in the YAML file or "
                "in params.yaml, another --dead-after, other records or other code in kantor/; "
                "take those again, or give it another name"
            )
        self._fill()

    def _drawn(self, waiting: FrozenTrial) -> dict[str, object]:
        """What a trial is given, by what those before it came to.

        It depends on their places and not on their numbers, and its seed is its own: so a
        search that was interrupted draws what it would have drawn.
        """
        known = self._in(*ENDED, TrialState.RUNNING)
        others = [trial for trial in known if place(trial) != place(waiting)]
        seed = (self._search.seed * 100_003 + place(waiting)) % 2**32
        memory = optuna.create_study(sampler=TPESampler(seed=seed))
        memory.add_trials(sorted(others, key=place))
        trial = memory.ask()
        self._search.draw(trial)
        return trial.params

    def _fail_dead(self) -> None:
        """Mark trials of dead workers failed."""
        fail_stale_trials(self.study)
        if self._heartbeat:
            return
        for trial in self._in(TrialState.RUNNING):
            if place(trial) not in self._locks and self._hold(place(trial)):
                # It may also have ended, before its lock was let go.
                self._ended(trial.number, TrialState.FAIL)
                self.let_go(place(trial))

    def _ended(self, number: int, state: TrialState, value: float | None = None) -> bool:
        """End a running trial; False if somebody else did."""
        try:
            self.study.tell(number, value, state)
        except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
            return False  # Optuna's words for a trial that is not running any more
        return True

    def _places(self) -> list[list[FrozenTrial]]:
        """The trials of each place, by number."""
        places = [[] for _ in range(self._search.trials)]
        for trial in self.all():
            places[place(trial)].append(trial)
        return places

    def _in(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states)

    def _claimed(self, trial_id: int) -> bool:
        try:
            return self._storage.set_trial_state_values(trial_id, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def _beat(self, trial_id: int) -> None:
        self._beaten = time.monotonic()
        if self._heartbeat:
            self._storage.record_heartbeat(trial_id)

    def _hold(self, number: int) -> bool:
        """Have a place for this process alone, of all on this machine."""
        lock = storage.Lock(self._folder / f"{number}.lock")
        if not lock.acquire(wait=False):
            return False
        self._locks[number] = lock
        return True


def place(trial: FrozenTrial) -> int:
    """The place of a trial among those asked for, from 0; its repetitions have the same."""
    return trial.user_attrs["place"]


def _current(there: list[FrozenTrial]) -> FrozenTrial | None:
    """Of the trials at a place the first that has not failed, if there is one."""
    return next((trial for trial in there if trial.state is not TrialState.FAIL), None)


def _given_up(there: list[FrozenTrial]) -> bool:
    """Whether too many workers or trainings died over the trials at a place."""
    failed = [trial for trial in there if trial.state is TrialState.FAIL]
    return sum("given_back" not in trial.user_attrs for trial in failed) >= MOST_DEATHS
