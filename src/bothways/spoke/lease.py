"""How long an open connection may take requests: a lease of its address, its age and its files. Pure: no I/O.

The law: a connection takes a request only while DNS gives its address (R10), while certificate, key and trust are those
that it was opened with, and until it is `AGE_MOST` old. After that it is retired: it takes no further request, what is
under way on it goes to its end, and it is closed when it is idle. A retired connection never comes back.
"""

from dataclasses import dataclass
from enum import StrEnum

from bothways.spoke.addresses import Name, retired

AGE_MOST = 3600.0
"""Seconds after which a connection is retired, whatever DNS says."""


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


def over(lease: Lease, name: Name, version: int, now: float) -> Reason | None:
    """Return why the connection is to be retired, given what is known of its name and the files' version now."""
    if retired(name, lease.address, now):
        return Reason.ADDRESS
    if lease.version != version:
        return Reason.FILES
    return Reason.AGE if now >= lease.since + AGE_MOST else None
