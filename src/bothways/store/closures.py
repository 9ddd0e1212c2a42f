"""When the hub's endpoint was shut, and when it was opened again, in the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from bothways.store.database import Transaction
from bothways.store.schema import closure


@dataclass(frozen=True, slots=True)
class Closure:
    """One time for which the endpoint was shut; it is, while `opened_at` is None."""

    id: int
    at: datetime
    reason: str
    opened_at: datetime | None


def add(transaction: Transaction, reason: str) -> None:
    """Store that the endpoint is shut."""
    transaction.insert(closure, at=transaction.now, reason=reason)


def end(transaction: Transaction, id: int) -> None:  # noqa: A002 - the column's name
    """Store that the endpoint is open again."""
    transaction.connection.execute(closure.update().where(closure.c.id == id).values(opened_at=transaction.now))


def current(connection: Connection) -> Closure | None:
    """Return the closure that holds now, or None while the endpoint is open."""
    row = connection.execute(select(closure).order_by(closure.c.id.desc()).limit(1)).first()
    return Closure(**row._mapping) if row and row.opened_at is None else None  # noqa: SLF001 - the documented way


def count(connection: Connection) -> int:
    """Return how often the endpoint was shut, ever."""
    return int(connection.execute(select(func.count()).select_from(closure)).scalar_one())
