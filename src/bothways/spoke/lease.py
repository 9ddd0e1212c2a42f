"""How long an open connection may take requests: a lease of its address, its age and its files. Pure: no I/O.

The law: a connection takes a request only while DNS gives its address (R10), while certificate, key and trust are those
that it was opened with, and until it is `AGE_MOST` old. After that it is retired: it takes no further request, what is
under way on it goes to its end, and it is closed when it is idle. A retired connection never comes back.
"""

from dataclasses import dataclass
from enum import StrEnum

from bothways.spoke.addresses import Name, serves_until

AGE_MOST = 3600.0
"""Seconds after which a connection is retired, whatever DNS says."""

_NEVER, _ALWAYS = float("-inf"), float("inf")


class Reason(StrEnum):
    """Why a connection is retired."""

    ADDRESS = "DNS no longer gives its address"
    FILES = "certificate, key or contract have changed"
    AGE = "it is old"


@dataclass(frozen=True, slots=True)
class Lease:
    """An open connection: to which address of which host, since when, and under which version of the files."""

    host: str
    address: str
    since: float
    version: int


def end(lease: Lease, name: Name, version: int) -> tuple[float, Reason]:
    """Return from when on the connection is over, and why, as long as name and version of the files are these."""
    reasons = (
        (serves_until(name, lease.address), Reason.ADDRESS),
        (_ALWAYS if lease.version == version else _NEVER, Reason.FILES),
        (lease.since + AGE_MOST, Reason.AGE),
    )
    return min(reasons, key=lambda each: each[0])
