"""Passkeys in the database."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from bothways.store.database import Transaction
from bothways.store.schema_sign_in import passkey


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey (WebAuthn): the credential's id and public key, and how often its authenticator says it was used."""

    id: int
    person_id: int
    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    uses: int
    added_at: datetime
    used_at: datetime | None = None


def add(transaction: Transaction, person_id: int, credential: bytes, public_key: bytes, uses: int) -> int:
    """Store a passkey; return its number."""
    return transaction.insert(
        passkey, person_id=person_id, credential=credential, public_key=public_key, uses=uses, added_at=transaction.now
    )


def every(connection: Connection, person_id: int) -> tuple[Passkey, ...]:
    """Return a person's passkeys, oldest first."""
    rows = connection.execute(select(passkey).where(passkey.c.person_id == person_id).order_by(passkey.c.id))
    return tuple(Passkey(**row._mapping) for row in rows)  # noqa: SLF001 - the documented way to a row's columns


def find(connection: Connection, credential: bytes) -> Passkey | None:
    """Return the passkey with this id, if there is one."""
    row = connection.execute(select(passkey).where(passkey.c.credential == credential)).first()
    return Passkey(**row._mapping) if row else None  # noqa: SLF001


def used(transaction: Transaction, number: int, uses: int) -> None:
    """Record that a passkey was used."""
    values = update(passkey).where(passkey.c.id == number).values(uses=uses, used_at=transaction.now)
    transaction.connection.execute(values)


def remove(transaction: Transaction, person_id: int) -> None:
    """Take all passkeys of a person out."""
    transaction.connection.execute(delete(passkey).where(passkey.c.person_id == person_id))
