"""The audit: one line per change, each with the hash of the line before it, in the transaction of the change."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, select

from bothways.store.audit_actions import missing
from bothways.store.audit_search import ALL, oldest_first
from bothways.store.schema import audit

_BEGINNING = "0" * 64
# Made once: every change writes a line, and a statement costs more to make than to run.
_LAST = select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)
_INSERT = insert(audit)
_in_order = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Line:
    """What was done to what. `detail` must hold no secret: the audit is exported."""

    action: str
    subject: str
    detail: dict[str, object] = field(default_factory=dict)


def append(connection: Connection, at: datetime, actor: str, lines: Iterable[Line], request_id: str = "") -> None:
    """Write lines in their order, each with the hash of the one before it.

    Raises `ValueError` for a line that lacks what its action must say: nothing is changed without it.
    """
    sequence, previous = last(connection)
    moment = _written(at)
    rows = []
    for line in lines:
        sequence += 1
        if lacking := missing(line.action, line.detail):
            raise ValueError(f"{line.action} is to be recorded without {', '.join(sorted(lacking))}")
        row = {
            "sequence": sequence,
            "at": at,
            "actor": actor,
            "action": line.action,
            "subject": line.subject,
            "request_id": request_id,
            "detail": _in_order(line.detail),
            "previous": previous,
        }
        rows.append(row | {"hash": (previous := _hash(row, moment))})
    if rows:
        connection.execute(_INSERT, rows)


def every(connection: Connection, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the lines after a sequence number, oldest first, each as its columns."""
    yield from oldest_first(connection, ALL, after)


def last(connection: Connection) -> tuple[int, str]:
    """Return the sequence number and the hash of the last line: 0 and zeros before the first one."""
    row = connection.execute(_LAST).first()
    return (row.sequence, row.hash) if row else (0, _BEGINNING)


def has(connection: Connection, sequence: int, digest: str) -> bool:
    """Tell whether the line of this number has this hash."""
    found = select(audit.c.hash).where(audit.c.sequence == sequence)
    return connection.execute(found).scalar_one_or_none() == digest


def first_broken(connection: Connection) -> int | None:
    """Return the sequence number of the first line that was changed, removed or put in, or None if the chain holds.

    Lines that were cut off at the end are not missed by the chain: only by whoever knows one of them.
    """
    previous, expected = _BEGINNING, 1
    for line in every(connection):
        stored = line.pop("hash")
        if line["sequence"] != expected or line["previous"] != previous or stored != _hash(line, _written(line["at"])):
            return expected
        previous, expected = stored, expected + 1
    return None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _hash(line: dict[str, Any], moment: str) -> str:
    return sha256(_in_order(line | {"at": moment}).encode()).hexdigest()
