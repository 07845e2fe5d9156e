"""When a training ends, which of its epochs is kept, and the learning rate on the way there.

All of it follows from the settings and the history, a row an epoch.
"""

import math

from kantor.params import Train

History = list[dict[str, float]]


def best(history: History) -> int:
    """The epoch, from 0, of the lowest validation loss."""
    return min(range(len(history)), key=lambda epoch: history[epoch]["valid_loss"])


def kept(history: History, settings: Train) -> int:
    """The epoch, from 0, whose weights are the result."""
    return best(history) if settings.keep == "best" else len(history) - 1


def finished(history: History, settings: Train) -> bool:
    """Whether the epochs, or the patience, are used up."""
    tried = max(best(history) + 1, settings.patience_from) if history else 0
    waited = len(history) - tried
    return len(history) == settings.epochs or 0 < settings.patience <= waited


def learning_rate(settings: Train, at: float, history: History) -> float:
    """The rate at a time in epochs, such as 2.5, after the epochs in `history`.

    It rises to its peak while it warms up, and a cosine or an exponential falls from there.
    """
    schedule = settings.schedule
    warmup = schedule.warmup_epochs
    if at < warmup:
        return settings.learning_rate * at / warmup
    share = {
        "constant": lambda: 1.0,
        "exponential": lambda: schedule.factor ** ((at - warmup) / schedule.epochs),
        "cosine": lambda: (1 + math.cos(math.pi * (at - warmup) / (settings.epochs - warmup))) / 2,
        "plateau": lambda: schedule.factor ** plateaus(history, schedule.epochs),
    }
    return settings.learning_rate * share[schedule.kind]()


def plateaus(history: History, epochs: int) -> int:
    """How often the validation loss has not fallen below its minimum for `epochs` epochs."""
    count, waited, lowest = 0, 0, math.inf
    for row in history:
        waited = 0 if row["valid_loss"] < lowest else waited + 1
        lowest = min(lowest, row["valid_loss"])
        if waited == epochs:
            count, waited = count + 1, 0
    return count
