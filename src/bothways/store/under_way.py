"""What control planes have under way, in the database: each says how its own stands, and any can be asked.

It stands beside the observations, for the same reasons: it wakes nobody, and is expendable. How old a word is, is told
by one clock, that of the database.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bothways.store.database import Transaction
from bothways.store.fleet import clock
from bothways.store.schema_under_way import under_way

KEPT = timedelta(hours=1)
"""For how long something can be asked for after the last word of it."""


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of something that is or was under way, and how old it is."""

    document: dict[str, Any]
    age: timedelta


def tell(transaction: Transaction, kind: str, documents: Mapping[str, dict[str, Any]], kept: timedelta = KEPT) -> None:
    """Say how things stand now, by their names, and forget what is of this kind and older than `kept`."""
    connection, now = transaction.connection, clock(transaction.connection, transaction.now)
    # The same words on both, and no common place for them.
    new = (postgresql if connection.dialect.name == postgresql.dialect.name else sqlite).insert(under_way)
    changed = {"told_at": new.excluded.told_at, "document": new.excluded.document}
    newest = new.on_conflict_do_update(index_elements=[under_way.c.kind, under_way.c.name], set_=changed)
    # In one order: two control planes that say the same must not wait for each other.
    rows = [
        {"kind": kind, "name": name, "told_at": now, "document": json.dumps(each)}
        for name, each in sorted(documents.items())
    ]
    connection.execute(newest, rows)
    connection.execute(delete(under_way).where(under_way.c.kind == kind, under_way.c.told_at < now - kept))


def told(connection: Connection, kind: str, name: str, now: datetime) -> Word | None:
    """Return the last word of something, however old; None if there is none, or it was forgotten."""
    at = under_way.c.kind == kind, under_way.c.name == name
    row = connection.execute(select(under_way).where(*at)).first()
    return Word(json.loads(row.document), clock(connection, now) - row.told_at) if row else None


def take(transaction: Transaction, kind: str, name: str) -> Word | None:
    """Return the last word of something, and forget it: of two who take it, one has it."""
    connection, now = transaction.connection, clock(transaction.connection, transaction.now)
    at = under_way.c.kind == kind, under_way.c.name == name
    row = connection.execute(delete(under_way).where(*at).returning(under_way.c.document, under_way.c.told_at)).first()
    return Word(json.loads(row.document), now - row.told_at) if row else None


def documents(connection: Connection, kind: str, names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the last words of these, by name, without those of which there is none."""
    if not names:
        return {}
    at = under_way.c.kind == kind, under_way.c.name.in_(list(names))
    rows = connection.execute(select(under_way.c.name, under_way.c.document).where(*at))
    return {row.name: json.loads(row.document) for row in rows}
