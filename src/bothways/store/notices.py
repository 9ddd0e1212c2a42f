"""Notices of what ends: stored before they are sent, so that each is sent, and sent once where it was received."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema import contact, notice


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """One notice for one contact; `id` is the same at each attempt, so that receivers can tell a repetition."""

    id: str
    contact_id: int
    kind: str
    subject: str
    threshold_days: int
    ends_at: datetime
    text: str
    made_at: datetime
    attempts: int
    attempt_at: datetime
    error: str | None = None
    delivered_at: datetime | None = None


def told(connection: Connection) -> frozenset[tuple[int, str, str, int]]:
    """Return what was ever told: contact, kind, subject and threshold of each notice."""
    columns = notice.c.contact_id, notice.c.kind, notice.c.subject, notice.c.threshold_days
    return frozenset((row[0], row[1], row[2], row[3]) for row in connection.execute(select(*columns)))


def add(transaction: Transaction, record: StoredNotice) -> None:
    """Store a notice that is to be sent."""
    transaction.connection.execute(insert(notice).values(asdict(record)))


def waiting(connection: Connection, since: datetime) -> tuple[StoredNotice, ...]:
    """Return the notices that are not delivered, to contacts that were not removed, about what ends after `since`."""
    rows = connection.execute(
        select(notice)
        .join(contact, contact.c.id == notice.c.contact_id)
        .where(notice.c.delivered_at.is_(None), contact.c.removed_at.is_(None), notice.c.ends_at > since)
        .order_by(notice.c.attempt_at, notice.c.id)
    )
    return tuple(StoredNotice(**row._mapping) for row in rows)  # noqa: SLF001 - the documented way to a row's columns


def delivered(transaction: Transaction, number: str) -> None:
    """Record that a notice was received."""
    transaction.connection.execute(
        update(notice)
        .where(notice.c.id == number)
        .values(delivered_at=transaction.now, attempts=notice.c.attempts + 1, error=None)
    )


def failed(transaction: Transaction, number: str, error: str, attempt_at: datetime) -> None:
    """Record why a notice was not received, and when the next attempt is due."""
    transaction.connection.execute(
        update(notice)
        .where(notice.c.id == number)
        .values(attempts=notice.c.attempts + 1, error=error, attempt_at=attempt_at)
    )
