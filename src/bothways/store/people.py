"""People in the database: who each is, and until when."""

from typing import Any

from sqlalchemy import Connection, Row, Select, exists, or_, select, update

from bothways.errors import Conflict, NotFound
from bothways.registry.access import Role
from bothways.registry.person import Person
from bothways.store import proposals
from bothways.store.database import Transaction
from bothways.store.proposals import Kind
from bothways.store.schema import customer
from bothways.store.schema_people import person

_PROPOSED = proposals.proposer(Kind.PERSON, person.c.id)
_PEOPLE = select(
    person, _PROPOSED.label("proposed_by"), proposals.proposer(Kind.SIGN_IN, person.c.id).label("sign_in_proposed_by")
)


def add(transaction: Transaction, email: str, name: str, role: Role, tsp_id: str | None, os_user: str | None) -> Person:
    """Store a person. Raises `Conflict` if the e-mail address or the user is that of an active person."""
    for column, value in ((person.c.email, email), (person.c.os_user, os_user)):
        taken = select(person.c.email).where(column == value, person.c.disabled_at.is_(None))
        if value is not None and (known := transaction.connection.execute(taken).first()):
            raise Conflict(f"{value} is on record already, as {known.email}.", "Look at: bothways person list")
    number = transaction.insert(
        person, email=email, name=name, role=role.value, tsp_id=tsp_id, os_user=os_user, added_at=transaction.now
    )
    return Person(number, email, name, role, tsp_id, os_user, transaction.now)


def every(
    connection: Connection, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[Person, ...]:
    """Return all people, disabled ones too, or those of one customer; in the order in which they came."""
    query = _PEOPLE.where(person.c.id > after).order_by(person.c.id).limit(limit)
    return _people(connection, query if tsp_id is None else query.where(person.c.tsp_id == tsp_id))


def find(connection: Connection, number: int) -> Person:
    """Return a person, a disabled one too. Raises `NotFound`."""
    found = _people(connection, _PEOPLE.where(person.c.id == number))
    if not found:
        raise absent(number)
    return found[0]


def absent(number: int) -> NotFound:
    """Return the error that says that there is no such person."""
    return NotFound(f"there is no person {number}.", "Look at: bothways person list")


def active(connection: Connection, email: str) -> Person | None:
    """Return the person with this e-mail address who may come in now: not disabled, proposed, of a removed customer."""
    found = _people(connection, _active().where(person.c.email == email))
    return found[0] if found else None


def active_by_id(connection: Connection, number: int) -> Person | None:
    """Return the person of this number if they may come in now, as `active` does."""
    found = _people(connection, _active().where(person.c.id == number))
    return found[0] if found else None


def of_hub(connection: Connection) -> tuple[Person, ...]:
    """Return the active people of the hub."""
    return _people(connection, _active().where(person.c.tsp_id.is_(None)).order_by(person.c.id))


def by_name(connection: Connection, name: str) -> Person | None:
    """Return who has this e-mail address or is this user on the hub's machine, before all who has it now."""
    known = _PEOPLE.where(or_(person.c.email == name, person.c.os_user == name))
    found = _people(connection, known.order_by(person.c.disabled_at.is_not(None), person.c.id.desc()).limit(1))
    return found[0] if found else None


def disable(transaction: Transaction, number: int) -> None:
    """Record that a person may come in no more."""
    transaction.connection.execute(update(person).where(person.c.id == number).values(disabled_at=transaction.now))


def waiting(connection: Connection) -> tuple[Person, ...]:
    """Return whose addition or invitation waits for a second person."""
    about = person.c.id.in_(proposals.numbers(Kind.PERSON, Kind.SIGN_IN))
    return _people(connection, _PEOPLE.where(about, person.c.disabled_at.is_(None)).order_by(person.c.id))


def _active() -> Select[Any]:
    # Asked about the one customer of each person: a list of all that are there would be made for every page.
    there = exists().where(customer.c.tsp_id == person.c.tsp_id, customer.c.removed_at.is_(None))
    return _PEOPLE.where(
        person.c.disabled_at.is_(None),
        _PROPOSED.is_(None),
        or_(person.c.tsp_id.is_(None), there),
    )


def _people(connection: Connection, query: Select[Any]) -> tuple[Person, ...]:
    return tuple(_person(row) for row in connection.execute(query))


def _person(row: Row[Any]) -> Person:
    columns = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns
    return Person(**columns | {"role": Role(columns["role"])})
