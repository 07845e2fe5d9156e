"""The trials of a search, in a database by which Optuna shares them among workers.

A trial whose worker has died waits to be run again with the same settings, a new attempt at its
place; places count from 0 in the order in which trials were first begun.
"""

import warnings
from contextlib import suppress

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from kantor.system.errors import KantorError
from study.space import Search

DEAD_AFTER = 60  # seconds without a heartbeat
MOST_RETRIES = 3
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)

warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
optuna.logging.set_verbosity(optuna.logging.ERROR)


def begin(search: Search, identity: dict, url: str, alone: bool) -> optuna.Study:
    """The study of a search; KantorError if it was begun as another, or with another identity."""
    for _ in range(2):  # workers that begin at the same moment may all try to make the tables
        with suppress(SQLAlchemyError):
            RDBStorage(url)
    storage = RDBStorage(
        url,
        heartbeat_interval=max(1, DEAD_AFTER // 6),
        grace_period=DEAD_AFTER,
        heartbeat_stale_trial_callback=retry,
    )
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=search.pruning.startup_trials,
        n_warmup_steps=search.pruning.warmup_epochs,
    )
    study = optuna.create_study(
        storage=storage, pruner=pruner, study_name=search.name, load_if_exists=True
    )
    if "identity" not in study.user_attrs:
        study.set_user_attr("identity", _whole(identity, search))
    check(study, search, identity)
    if alone:  # whoever had a trial is dead
        for trial in study.get_trials(states=[TrialState.RUNNING]):
            study.tell(trial.number, state=TrialState.FAIL)
            retry(study, trial)
    return study


def check(study: optuna.Study, search: Search, identity: dict) -> None:
    """Raise KantorError unless the study was begun as this search, with this identity."""
    if study.user_attrs["identity"] != _whole(identity, search):
        raise KantorError(
            f"search {search.name}: was begun with other settings in its YAML or params.yaml, "
            "other records or other code in kantor/; take those, or give it another name"
        )


def retry(study: optuna.Study, trial: FrozenTrial) -> None:
    """Let a failed trial wait to be run again, unless it was too often."""
    if len(trial.params) < len(study.user_attrs["identity"]["search"]["space"]):
        trial.params, trial.distributions = {}, {}  # its worker died while it drew them
    RetryHeartbeatStaleTrialCallback(MOST_RETRIES)(study, trial)


def place(study: optuna.Study, trial: FrozenTrial) -> tuple[int, bool]:
    """The place of a trial, and whether this isn't the first attempt at it."""
    trials = study.get_trials(deepcopy=False)
    again = {earlier.number for earlier in trials if "failed_trial" in earlier.system_attrs}
    first = trial.system_attrs.get("failed_trial", trial.number)
    return first - sum(number < first for number in again), trial.number in again


def ended(study: optuna.Study) -> int:
    """How many trials were completed or pruned."""
    return len(study.get_trials(deepcopy=False, states=ENDED))


def _whole(identity: dict, search: Search) -> dict:
    """The identity of a search: of its trainings, and what it asks for."""
    return identity | {"search": search.model_dump(mode="json")}
