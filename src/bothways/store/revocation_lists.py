"""The certificate revocation lists (CRLs) of the hub's issuing CAs. Numbers only grow."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bothways.store.database import Transaction
from bothways.store.schema import revocation_list
from bothways.store.schema_statements import revocation_list_floor as _floor

KEPT = 10
"""How many lists of a CA are kept, to look at."""


@dataclass(frozen=True, slots=True)
class StoredList:
    """A CRL in DER; `revocations` counts all certificates of its CA that were ever revoked when it was made."""

    authority_id: int
    number: int
    this_update: datetime
    next_update: datetime
    revocations: int
    der: bytes


def add(transaction: Transaction, record: StoredList) -> bool:
    """Store a new CRL; return False, and store nothing, if one of this number or a later one is there."""
    newest = current(transaction.connection, record.authority_id)
    if newest is not None and newest.number >= record.number:
        return False
    transaction.insert(
        revocation_list,
        authority_id=record.authority_id,
        number=record.number,
        this_update=record.this_update,
        next_update=record.next_update,
        revocations=record.revocations,
        der=record.der,
    )
    # A list of every day, each as long as all revocations, would be most of the database after a year.
    old = revocation_list.c.number <= record.number - KEPT
    transaction.connection.execute(
        revocation_list.delete().where(revocation_list.c.authority_id == record.authority_id, old)
    )
    return True


def current(connection: Connection, authority_id: int) -> StoredList | None:
    """Return the newest CRL of a CA, or None before its first."""
    row = connection.execute(
        select(revocation_list)
        .where(revocation_list.c.authority_id == authority_id)
        .order_by(revocation_list.c.number.desc())
        .limit(1)
    ).first()
    return StoredList(**row._mapping) if row else None  # noqa: SLF001 - the documented way to a row's columns


def next_number(connection: Connection, authority_id: int) -> int:
    """Return the number of the next CRL of a CA: one more than the last, and at least the floor."""
    last = current(connection, authority_id)
    floor = connection.execute(
        select(_floor.c.number).where(_floor.c.authority_id == authority_id)
    ).scalar_one_or_none()
    return max(last.number + 1 if last else 1, floor or 1)


def raise_floor(transaction: Transaction, authority_id: int, number: int) -> None:
    """Let no CRL of a CA have a lower number than this from now on."""
    floor = max(number, next_number(transaction.connection, authority_id))
    transaction.connection.execute(delete(_floor).where(_floor.c.authority_id == authority_id))
    transaction.connection.execute(insert(_floor).values(authority_id=authority_id, number=floor))
