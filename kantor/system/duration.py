"""How long something takes, estimated before it begins, and how long is too long."""

from kantor.system.errors import KantorError

DAY = 24 * 60 * 60
MOST_DAYS = 30


def check(seconds: float, what: str, advice: str) -> None:
    """Raise KantorError if `what` takes longer than anyone waits; `advice` says what to do."""
    if seconds > MOST_DAYS * DAY:
        raise KantorError(
            f"{what} takes about {seconds / DAY:,.0f} days on two cores; expected {MOST_DAYS} at "
            f"most; {advice}"
        )
