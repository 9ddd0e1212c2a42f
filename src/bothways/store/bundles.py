"""The bundles that the hub handed out, and which of them was answered by what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema_statements import bundle


@dataclass(frozen=True, slots=True)
class HandedOut:
    """One bundle for a customer; `answer` is the fingerprint of the customer's bundle, None before that came."""

    id: str
    tsp_id: str
    fingerprint: str
    made_at: datetime
    answered_at: datetime | None
    answer: str | None


def add(transaction: Transaction, number: str, tsp_id: str, fingerprint: str) -> None:
    """Store a bundle that is handed out."""
    row = insert(bundle).values(
        id=number, tsp_id=tsp_id, fingerprint=fingerprint, made_at=transaction.now, made_by=transaction.actor
    )
    transaction.connection.execute(row)


def find(connection: Connection, number: str) -> HandedOut | None:
    """Return the bundle that an answer names, or None if this hub made none of that name."""
    row = connection.execute(select(bundle).where(bundle.c.id == number)).first()
    return _handed_out(row) if row else None


def newest(connection: Connection, tsp_id: str, limit: int) -> tuple[HandedOut, ...]:
    """Return the bundles that were made for a customer last, the newest first."""
    query = select(bundle).where(bundle.c.tsp_id == tsp_id).order_by(bundle.c.made_at.desc(), bundle.c.id).limit(limit)
    return tuple(_handed_out(row) for row in connection.execute(query))


def answered(transaction: Transaction, number: str, answer: str) -> bool:
    """Record by what a bundle was answered; return False, and record nothing, if it was answered already."""
    open_ = bundle.c.id == number, bundle.c.answered_at.is_(None)
    row = update(bundle).where(*open_).values(answered_at=transaction.now, answer=answer)
    return transaction.connection.execute(row).rowcount > 0


def _handed_out(row: Row[Any]) -> HandedOut:
    return HandedOut(row.id, row.tsp_id, row.fingerprint, row.made_at, row.answered_at, row.answer)
