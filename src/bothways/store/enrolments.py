"""One-time passwords for enrolment (EST) in the database, at most one for each customer, and only their digests."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema import enrolment


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A password's salt and scrypt digest; `request_id` is the request that it was used for."""

    tsp_id: str
    salt: bytes
    digest: bytes
    expires_at: datetime
    request_id: int | None = None


def put(transaction: Transaction, record: Enrolment) -> None:
    """Store a customer's password in place of the one before."""
    transaction.connection.execute(delete(enrolment).where(enrolment.c.tsp_id == record.tsp_id))
    transaction.connection.execute(
        insert(enrolment).values(
            tsp_id=record.tsp_id,
            salt=record.salt,
            digest=record.digest,
            expires_at=record.expires_at,
            request_id=record.request_id,
        )
    )


def find(connection: Connection, tsp_id: str) -> Enrolment | None:
    """Return a customer's password, if there is one."""
    row = connection.execute(select(enrolment).where(enrolment.c.tsp_id == tsp_id)).first()
    return Enrolment(**row._mapping) if row else None  # noqa: SLF001 - the documented way to a row's columns


def end_unused(transaction: Transaction) -> int:
    """Take out all passwords that were not used; return how many there were."""
    return transaction.connection.execute(delete(enrolment).where(enrolment.c.request_id.is_(None))).rowcount


def use(transaction: Transaction, tsp_id: str, number: int) -> None:
    """Record for which request the password was used."""
    transaction.connection.execute(update(enrolment).where(enrolment.c.tsp_id == tsp_id).values(request_id=number))
