"""The audit: one line per change, each with the hash of the line before it, in the transaction of the change."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, select

from bothways.store.schema import audit

_BEGINNING = "0" * 64


def append(
    connection: Connection, at: datetime, actor: str, action: str, subject: str, detail: dict[str, object]
) -> None:
    """Write one line. `detail` must hold no secret: the audit is exported."""
    last = connection.execute(select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1)).first()
    line = {
        "sequence": last.sequence + 1 if last else 1,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail, sort_keys=True),
        "previous": last.hash if last else _BEGINNING,
    }
    connection.execute(insert(audit).values(**line, hash=_hash(line)))


def first_broken(connection: Connection) -> int | None:
    """Return the sequence number of the first line that was changed, removed or put in, or None if the chain holds."""
    previous, expected = _BEGINNING, 1
    for row in connection.execute(select(audit).order_by(audit.c.sequence)):
        line = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns
        stored = line.pop("hash")
        if line["sequence"] != expected or line["previous"] != previous or stored != _hash(line):
            return expected
        previous, expected = stored, expected + 1
    return None


def _hash(line: dict[str, Any]) -> str:
    line = line | {"at": line["at"].astimezone(UTC).isoformat(timespec="microseconds")}
    return sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()
