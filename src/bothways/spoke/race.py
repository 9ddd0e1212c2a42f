"""Which address is tried when, until one answers (happy eyeballs, RFC 8305). Pure: no I/O.

The law: families take turns, in the order in which DNS gave them; the next address is tried `DELAY_SECONDS` after the
last one, or as soon as one fails; the first that answers wins.
"""

from collections.abc import Sequence
from itertools import chain, zip_longest

DELAY_SECONDS = 0.25
"""After which the next address is tried beside the one that does not answer (RFC 8305 section 8)."""


class Race:
    """One race; the caller gives the time in seconds on a clock that never goes back."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._waiting = _interlaced(addresses)
        self._running = 0
        self._next = float("-inf")

    def start(self, now: float) -> str | None:
        """Return the address that is to be tried now, or nothing."""
        if not self._waiting or now < self._next:
            return None
        self._running += 1
        self._next = now + DELAY_SECONDS
        return self._waiting.pop(0)

    def failed(self) -> None:
        """Take note that an address that was tried does not answer: the next one need not wait."""
        self._running -= 1
        self._next = float("-inf")

    def pause(self, now: float) -> float | None:
        """Return after how many seconds the next address is to be tried, or nothing if there is none."""
        return max(0.0, self._next - now) if self._waiting else None

    def lost(self) -> bool:
        """Tell whether all addresses have failed."""
        return not self._waiting and not self._running


def _interlaced(addresses: Sequence[str]) -> list[str]:
    first = [each for each in addresses if (":" in each) == (":" in addresses[0])]
    other = [each for each in addresses if each not in first]
    return [each for each in chain(*zip_longest(first, other)) if each is not None]
