"""Contacts in the database, of customers and of the operator."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from bothways.errors import Conflict, NotFound
from bothways.registry.contact import Contact, ContactKind
from bothways.store.database import Transaction
from bothways.store.schema import contact


def add(transaction: Transaction, tsp_id: str | None, kind: ContactKind, address: str, secret: str) -> Contact:
    """Store a contact. Raises `Conflict` if it is there."""
    if any((each.kind, each.address) == (kind, address) for each in every(transaction.connection, tsp_id)):
        raise Conflict(f"{address} is a contact already. Look at the list of contacts.")
    number = transaction.insert(
        contact, tsp_id=tsp_id, kind=kind.value, address=address, secret=secret, added_at=transaction.now
    )
    return Contact(number, tsp_id, kind, address, secret)


def every(connection: Connection, tsp_id: str | None) -> tuple[Contact, ...]:
    """Return the contacts of a customer, or of the operator if it is None, oldest first."""
    query = select(contact).where(contact.c.tsp_id.is_not_distinct_from(tsp_id), contact.c.removed_at.is_(None))
    return tuple(_contact(row) for row in connection.execute(query.order_by(contact.c.id)))


def find(connection: Connection, number: int) -> Contact:
    """Return a contact, a removed one too. Raises `NotFound`."""
    row = connection.execute(select(contact).where(contact.c.id == number)).first()
    if row is None:
        raise NotFound(f"there is no contact {number}.")
    return _contact(row)


def remove(transaction: Transaction, tsp_id: str | None, number: int) -> Contact:
    """Remove a contact. Raises `NotFound` if it is none of this customer, or of the operator if that is None."""
    for each in every(transaction.connection, tsp_id):
        if each.id == number:
            removed = update(contact).where(contact.c.id == number).values(removed_at=transaction.now)
            transaction.connection.execute(removed)
            return each
    whose = f"the customer {tsp_id}" if tsp_id else "the hub"
    raise NotFound(f"there is no contact {number} of {whose}. Look at the list of contacts.")


def _contact(row: Row[Any]) -> Contact:
    return Contact(row.id, row.tsp_id, ContactKind(row.kind), row.address, row.secret)
