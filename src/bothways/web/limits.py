"""How much one caller may ask for: a bucket of requests that fills again with time."""

from dataclasses import dataclass
from datetime import datetime

_BUCKETS_MOST = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class Limits:
    """At most `burst` requests of one caller at once, and `per_second` in the long run."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, caller: str, now: datetime) -> float:
        """Count a request, and return 0; or count none, and return the seconds after which there is one again."""
        bucket = self._buckets.get(caller)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[caller] = _Bucket(self._burst, now)
        passed = max((now - bucket.at).total_seconds(), 0.0)
        bucket.left, bucket.at = min(self._burst, bucket.left + passed * self._per_second), now
        if bucket.left < 1:
            return (1 - bucket.left) / self._per_second
        bucket.left -= 1
        return 0.0

    def _make_room(self, now: datetime) -> None:
        if len(self._buckets) >= _BUCKETS_MOST:
            full = self._burst / self._per_second
            self._buckets = {
                each: bucket for each, bucket in self._buckets.items() if (now - bucket.at).total_seconds() < full
            }
