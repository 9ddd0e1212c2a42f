"""Sessions of the portal in the database."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from bothways.store.database import Transaction
from bothways.store.schema_sign_in import session


@dataclass(frozen=True, slots=True)
class Session:
    """A session: whose it is, what its forms carry (`csrf`), and from where and with what it began."""

    id: int
    person_id: int
    csrf: str = field(repr=False)
    source: str
    browser: str
    began_at: datetime
    used_at: datetime


def add(transaction: Transaction, person_id: int, digest: str, csrf: str, source: str, browser: str) -> int:
    """Store a new session; return its number."""
    return transaction.insert(
        session,
        person_id=person_id,
        digest=digest,
        csrf=csrf,
        source=source,
        browser=browser,
        began_at=transaction.now,
        used_at=transaction.now,
    )


def find(connection: Connection, digest: str) -> Session | None:
    """Return the session whose cookie has this digest, if there is one."""
    row = connection.execute(select(*_COLUMNS).where(session.c.digest == digest)).first()
    return Session(*row) if row else None


def every(connection: Connection, person_id: int) -> tuple[Session, ...]:
    """Return a person's sessions, the last one first."""
    rows = connection.execute(select(*_COLUMNS).where(session.c.person_id == person_id).order_by(session.c.id.desc()))
    return tuple(Session(*row) for row in rows)


def use(transaction: Transaction, number: int) -> None:
    """Record that a session was used just now."""
    transaction.connection.execute(update(session).where(session.c.id == number).values(used_at=transaction.now))


def end(transaction: Transaction, person_id: int, number: int | None = None) -> int:
    """End a session of a person, or all of them; return how many there were."""
    query = delete(session).where(session.c.person_id == person_id)
    return transaction.connection.execute(query if number is None else query.where(session.c.id == number)).rowcount


def end_all(transaction: Transaction) -> int:
    """End the sessions of everybody; return how many there were."""
    return transaction.connection.execute(delete(session)).rowcount


def forget(transaction: Transaction, idle: datetime, begun: datetime) -> None:
    """Forget the sessions that were last used before `idle`, or began before `begun`."""
    transaction.connection.execute(delete(session).where((session.c.used_at < idle) | (session.c.began_at < begun)))


_COLUMNS = (
    session.c.id,
    session.c.person_id,
    session.c.csrf,
    session.c.source,
    session.c.browser,
    session.c.began_at,
    session.c.used_at,
)
