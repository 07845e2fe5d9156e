"""What came of a search: a block for params.yaml, all trials as a table, and two plots."""

import functools
import json
from pathlib import Path

import optuna
import pandas as pd
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import TrialState
from optuna.visualization import matplotlib as plots

from kantor.system import atomic, core_yaml
from study import drawing, space, trials

_yaml = functools.partial(core_yaml.dump, default_flow_style=None)


def write(search: space.Search, study: optuna.Study, folder: Path) -> None:
    """Replace the folder by one of what came of the search, and print what is best."""
    rows = table(search, study)
    losses = rows["valid_loss"].dropna()
    if losses.empty:
        print("no trial was completed: there is no best one")
        return
    best = optuna.trial.FixedTrial(study.best_params)
    settings = {key: values.draw(best, key) for key, values in search.space.items()}
    block = _yaml(_nested(settings))
    # Workers that end together write the same.
    with atomic.output(folder, patience=60) as fresh:
        fresh.mkdir()
        (fresh / "search.yaml").write_text(_yaml(search.model_dump(exclude_unset=True)))
        (fresh / "best.yaml").write_text(block)
        rows.to_csv(fresh / "trials.csv", index=False, float_format="%.6g", lineterminator="\n")
        plot = {"history": plots.plot_optimization_history(study, target_name="loss")}
        if len(losses) >= 4:
            # What sets the better half apart; a tenth of a few dozen trials would tell nothing.
            evaluator = PedAnovaImportanceEvaluator(target_quantile=0.5)
            plot["importance"] = plots.plot_param_importances(study, evaluator=evaluator)
        for name, axes in plot.items():
            axes.figure.set_size_inches(8, 5)
            drawing.write(axes.figure, fresh / f"{name}.svg")
    place = rows["trial"][losses.idxmin()]
    print(f"the best of {trials.ended(study)}: trial {place}, validation loss {losses.min():.4f}")
    print(f"for params.yaml ({folder} has it, with all trials and the plots):\n\n{block}")
    sets = " ".join(f"-S '{key}={json.dumps(value)}'" for key, value in settings.items())
    print(f"(every trial had {search.changes} too) or, to train with it:\n\ndvc exp run {sets}")


def table(search: space.Search, study: optuna.Study) -> pd.DataFrame:
    """A row an attempt, with its losses in nats a note, on pieces and the lowest on windows."""
    rows = [
        {
            "trial": trials.place(study, trial)[0],
            "state": trial.state.name.lower(),
            "valid_loss": trial.value if trial.state is TrialState.COMPLETE else None,
            "windows_loss": min(trial.intermediate_values.values(), default=None),
            "epochs": len(trial.intermediate_values),
            **{key: trial.params.get(key) for key in search.space},
            "refused": trial.user_attrs.get("refused"),
        }
        for trial in study.get_trials()
        if trial.params and trial.state is not TrialState.WAITING
    ]
    return pd.DataFrame(rows).sort_values("trial", kind="stable")


def _nested(settings: dict[str, space.Value]) -> dict:
    blocks: dict = {}
    for key, value in settings.items():
        *outer, last = key.split(".")
        block = blocks
        for name in outer:
            block = block.setdefault(name, {})
        block[last] = value
    return blocks
