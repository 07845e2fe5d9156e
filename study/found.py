"""What a search found: a block for params.yaml, all trials as a table, and two plots."""

import json
from pathlib import Path

import optuna
import pandas as pd
import yaml
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

from kantor.system import atomic
from study import drawing, space
from study.trials import Trials, place

ENOUGH = 4  # completed trials, to tell what matters


def write(search: space.Search, trials: Trials, folder: Path) -> None:
    """Write search.yaml, as it was, best.yaml, trials.csv, history.svg and importance.svg into the
    folder, instead of what is there, and say what is best.
    """
    best = trials.best()
    if not best:
        print("no trial was completed: nothing was found")
        return
    complete = [trial for trial in trials.all() if trial.state is TrialState.COMPLETE]
    fixed = optuna.trial.FixedTrial(best.params)
    settings = {key: of.draw(fixed, key) for key, of in search.space.items()}
    block = as_yaml(space.nested(settings))
    with atomic.output(folder) as fresh:
        fresh.mkdir()
        (fresh / "search.yaml").write_text(as_yaml(search.model_dump(mode="json")))
        (fresh / "best.yaml").write_text(block)
        table(search, trials).to_csv(
            fresh / "trials.csv", index=False, float_format="%.6g", lineterminator="\n"
        )
        history = plots.plot_optimization_history(trials.study, target_name="validation loss")
        drawn = {"history": history}
        if len(complete) >= ENOUGH:
            # What sets the better half apart; a tenth of a few dozen trials would tell nothing.
            evaluator = PedAnovaImportanceEvaluator(target_quantile=0.5)
            drawn["importance"] = plots.plot_param_importances(trials.study, evaluator=evaluator)
        for name, axes in drawn.items():
            axes.figure.set_size_inches(8, 5)
            drawing.write(axes.figure, fresh / f"{name}.svg")
    print(f"the best of {trials.ended()}: trial {place(best)}, validation loss {best.value:.4f}")
    print(f"for params.yaml ({folder} has it, with all trials and the plots):\n\n{block}")
    if search.changes:
        print(f"beside it every trial had {json.dumps(search.changes)}\n")
    sets = " ".join(f"-S '{key}={json.dumps(value)}'" for key, value in settings.items())
    print(f"or set it, and train at full length:\n\ndvc exp run {sets}")


def as_yaml(content: dict) -> str:
    """Content as YAML, in its order."""
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None)


def table(search: space.Search, trials: Trials) -> pd.DataFrame:
    """The trials, a row each: state, loss, epochs, settings, why one was refused.

    One that failed has another row, when it was tried again; one that only waits has none.
    `valid_loss` is that on pieces, of a completed trial; `windows_loss` the lowest in training,
    by which trials are pruned.
    """
    rows = [
        {
            "trial": place(trial),
            "state": trial.state.name.lower(),
            "valid_loss": trial.value if trial.state is TrialState.COMPLETE else None,
            "windows_loss": min(trial.intermediate_values.values(), default=None),
            "epochs": len(trial.intermediate_values),
        }
        | trial.params
        | {"refused": trial.user_attrs.get("refused")}
        for trial in sorted(trials.all(), key=place)
        if trial.state is not TrialState.WAITING
    ]
    columns = ["trial", "state", "valid_loss", "windows_loss", "epochs"]
    columns += [*search.space, "refused"]
    return pd.DataFrame(rows, columns=columns)
