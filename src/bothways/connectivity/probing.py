"""When a customer's server is to be probed: soon after its registration, and then daily, each at its own time. Pure."""

import hashlib
from datetime import datetime, timedelta

DAY = timedelta(days=1)


def probe_due(tsp_id: str, registered: datetime, last: datetime | None, now: datetime) -> bool:
    """Tell whether a probe is due; `registered` is when server or chain was last set, `last` when the last probe began.

    Daily at a time that is the customer's own, spread over the day: no two hubs of thousands knock at once, and a hub
    that was away makes up for one probe and not for all that it missed.
    """
    return last is None or last < registered or next_probe(tsp_id, last) <= now


def next_probe(tsp_id: str, last: datetime) -> datetime:
    """Return when a customer is due after a probe that began at `last`, unless it is registered anew meanwhile."""
    midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
    time = midnight + _time_of_day(tsp_id)
    return time if time > last else time + DAY


def _time_of_day(tsp_id: str) -> timedelta:
    digest = hashlib.sha256(tsp_id.encode()).digest()
    return DAY * (int.from_bytes(digest[:4], "big") / (1 << 32))
