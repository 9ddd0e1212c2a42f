"""How far a long command is, on stderr: one line that is written anew for a person, now and then a line for a log."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

_TERMINAL_SECONDS = 0.1
_LOG_SECONDS = 5.0


class Progress:
    """Counts steps of `total`, and says so: at a terminal ten times a second, elsewhere every five seconds."""

    def __init__(
        self, total: int, what: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._what = what
        self._stream = stream or sys.stderr
        self._clock = clock
        self._terminal = self._stream.isatty()
        self._started = self._said = clock()
        self._done = 0

    def step(self) -> None:
        """Count one step, and say where we are if it is time to."""
        self._done += 1
        now = self._clock()
        if now - self._said >= (_TERMINAL_SECONDS if self._terminal else _LOG_SECONDS):
            self._said = now
            self._say("\r" if self._terminal else "", "" if self._terminal else "\n")

    def end(self) -> None:
        """Say how far it came, and end the line."""
        self._say("\r" if self._terminal else "", "\n")

    def _say(self, before: str, after: str) -> None:
        seconds = self._clock() - self._started
        rate = f", {self._done / seconds:.0f} a second" if seconds > 0 else ""
        # The blanks wipe what a longer line left.
        text = f"{self._done} of {self._total} {self._what}{rate}"
        self._stream.write(f"{before}{text.ljust(60) if self._terminal else text}{after}")
        self._stream.flush()
