"""What the API answered under which idempotency key, in the database."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema_api import answered


@dataclass(frozen=True, slots=True)
class Answered:
    """One request under a key: the digest of what was asked, and the answer; `status` is None while it is not known.

    `answer` is None if it held a secret.
    """

    digest: str
    status: int | None = None
    answer: str | None = None


def find(connection: Connection, principal: str, key: str) -> Answered | None:
    """Return what this caller asked under this key, if anything."""
    at = answered.c.principal == principal, answered.c.key == key
    row = connection.execute(select(answered).where(*at)).first()
    return Answered(row.digest, row.status, row.answer) if row else None


def begin(transaction: Transaction, principal: str, key: str, digest: str) -> None:
    """Store that a request under this key is begun."""
    values = {"principal": principal, "key": key, "digest": digest, "at": transaction.now}
    transaction.connection.execute(insert(answered).values(**values))


def finish(transaction: Transaction, principal: str, key: str, status: int, answer: str | None) -> None:
    """Store what was answered."""
    at = answered.c.principal == principal, answered.c.key == key
    transaction.connection.execute(update(answered).where(*at).values(status=status, answer=answer))


def forget(transaction: Transaction, principal: str, key: str) -> None:
    """Forget a key: nothing came of it."""
    at = answered.c.principal == principal, answered.c.key == key
    transaction.connection.execute(delete(answered).where(*at))


def forget_before(transaction: Transaction, moment: datetime) -> None:
    """Forget all keys that are older."""
    transaction.connection.execute(delete(answered).where(answered.c.at < moment))
