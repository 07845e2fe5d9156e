"""Progress of long work: a bar on a terminal, a quiet line now and then elsewhere."""

import sys
import time
from types import TracebackType

from tqdm import tqdm

QUIET_SECONDS = 10


class Progress:
    """Say what is done, how far it is and how long it will still take.

    Use it as a context manager and call `advance` for every finished unit.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0) -> None:
        terminal = sys.stderr.isatty()
        self.what, self.unit = what, unit
        self._bar = tqdm(
            total=total, initial=done, desc=what, unit=f" {unit}", disable=not terminal
        )
        self._quiet = not terminal
        self._total, self._done = total, done
        self._last_line = time.monotonic()
        # The clock starts at the end of the first unit, which may hold work done only once.
        self._first: tuple[int, float] | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def advance(self, note: str = "", units: int = 1) -> None:
        """Count `units` more as done; `note` is shown behind the figures."""
        self._done += units
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(units)
        now = time.monotonic()
        first, started = self._first = self._first or (self._done, now)
        if self._quiet and (now - self._last_line > QUIET_SECONDS or self._done == self._total):
            self._last_line = now
            words = [f"{self._done} of {self._total} {self.unit}"]
            if self._done > first:
                left = (now - started) / (self._done - first) * (self._total - self._done)
                words.append(f"{left:.0f} s left")
            if note:
                words.append(note)
            print(f"{self.what}: {', '.join(words)}", file=sys.stderr, flush=True)
