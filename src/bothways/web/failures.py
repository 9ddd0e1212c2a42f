"""Wrong passwords and tokens, counted by who sent them, so that nobody tries many."""

from collections import deque
from datetime import datetime, timedelta

_FAILURES_MOST, _FAILURES_WITHIN = 10, timedelta(minutes=1)
_SOURCES_MOST = 10_000


class Failures:
    """Wrong passwords of the last minute, by who sent them; the eleventh is not looked at."""

    def __init__(self) -> None:
        self._moments: dict[tuple[str, str], deque[datetime]] = {}

    def too_many(self, source: tuple[str, str], now: datetime) -> bool:
        """Tell whether this source has to wait."""
        moments = self._moments.get(source, deque())
        while moments and now - moments[0] > _FAILURES_WITHIN:
            moments.popleft()
        return len(moments) >= _FAILURES_MOST

    def add(self, source: tuple[str, str], now: datetime) -> None:
        """Remember a wrong password."""
        if len(self._moments) >= _SOURCES_MOST:
            self._moments = {each: past for each, past in self._moments.items() if now - past[-1] <= _FAILURES_WITHIN}
        self._moments.setdefault(source, deque(maxlen=_FAILURES_MOST)).append(now)
