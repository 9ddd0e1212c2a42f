"""Which request renews which certificate, in the database, and what is still to come of that."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from bothways.store.database import Transaction
from bothways.store.instant import Instant
from bothways.store.schema import certificate, renewal


def renew(transaction: Transaction, request_id: int, serial: str) -> None:
    """Record that what comes of a request renews this certificate; a later record of the same request replaces it."""
    transaction.connection.execute(renewal.delete().where(renewal.c.request_id == request_id))
    transaction.connection.execute(insert(renewal).values(request_id=request_id, serial=serial))


def renewed_by(connection: Connection, request_id: int) -> str | None:
    """Return the serial number of the certificate that what comes of a request renews, or None."""
    serial: str | None = connection.scalar(select(renewal.c.serial).where(renewal.c.request_id == request_id))
    return serial


def renewed(connection: Connection, now: datetime, serial: str | None = None) -> dict[str, datetime]:
    """Return when the successor of each renewed certificate, or of this one, was first seen, by its serial number.

    One that was revoked, or has expired, takes nobody's place; neither does one that was never seen.
    """
    new = certificate.alias()
    first_seen = select(func.min(new.c.first_seen_at, type_=Instant)).where(
        new.c.request_id == renewal.c.request_id, new.c.revoked_at.is_(None), new.c.not_after > now
    )
    # Questions inside and no joins: SQLite would begin a join with all certificates, and open renewals are few.
    query = select(renewal.c.serial, first_seen.scalar_subquery().label("at")).where(
        renewal.c.over_at.is_(None), _in_force(now)
    )
    found: dict[str, datetime] = {}
    for row in connection.execute(query if serial is None else query.where(renewal.c.serial == serial)):
        if row.at is not None:
            found[row.serial] = min(row.at, found.get(row.serial, row.at))
    return dict(sorted(found.items()))


def some_over(connection: Connection, now: datetime) -> bool:
    """Tell whether there are renewals of what is in force no more, which are still looked through."""
    over = select(renewal.c.request_id).where(renewal.c.over_at.is_(None), ~_in_force(now))
    return connection.scalar(over.limit(1)) is not None


def set_aside(transaction: Transaction) -> None:
    """Have those renewals looked through no more."""
    over = update(renewal).where(renewal.c.over_at.is_(None), ~_in_force(transaction.now))
    transaction.connection.execute(over.values(over_at=transaction.now))


def _in_force(now: datetime) -> ColumnElement[bool]:
    old = select(certificate.c.serial).where(
        certificate.c.serial == renewal.c.serial,
        certificate.c.der.is_not(None),
        certificate.c.revoked_at.is_(None),
        certificate.c.not_after > now,
    )
    return old.exists()
