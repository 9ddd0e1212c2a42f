"""Customers in the database."""

from collections.abc import Collection

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from bothways.errors import Conflict, NotFound
from bothways.registry.customer import Customer, CustomerKind
from bothways.store.database import Transaction
from bothways.store.schema import customer

# Made once: a statement costs more to make than to run.
_MANY = select(customer).where(
    customer.c.tsp_id.in_(bindparam("tsp_ids", expanding=True)), customer.c.removed_at.is_(None)
)


def add(transaction: Transaction, record: Customer) -> None:
    """Store a new customer. Raises `Conflict` if the tspId is, or ever was, another's."""
    known = transaction.connection.execute(select(customer).where(customer.c.tsp_id == record.tsp_id)).first()
    if known:
        was = "was removed; identifiers are never used again" if known.removed_at else "exists already"
        raise Conflict(f"the customer {record.tsp_id} {was}.", "Look at: bothways customer list")
    transaction.connection.execute(
        insert(customer).values(
            tsp_id=record.tsp_id,
            kind=record.kind.value,
            organization=record.organization,
            created_at=record.created_at,
            suspended=record.suspended,
        )
    )


def find(connection: Connection, tsp_id: str) -> Customer:
    """Return a customer. Raises `NotFound`."""
    found = many(connection, (tsp_id,))
    if not found:
        raise absent(tsp_id)
    return found[tsp_id]


def many(connection: Connection, tsp_ids: Collection[str]) -> dict[str, Customer]:
    """Return customers by their tspId; one that is not there is not in it."""
    return {row.tsp_id: _customer(row) for row in connection.execute(_MANY, {"tsp_ids": list(tsp_ids)})}


def absent(tsp_id: str) -> NotFound:
    """Return the error that says that there is no such customer."""
    return NotFound(f"there is no customer {tsp_id}.", "Look at: bothways customer list")


def every(connection: Connection) -> tuple[Customer, ...]:
    """Return all customers, by tspId."""
    rows = connection.execute(select(customer).where(customer.c.removed_at.is_(None)).order_by(customer.c.tsp_id))
    return tuple(_customer(row) for row in rows)


def suspend(transaction: Transaction, tsp_id: str, *, suspended: bool) -> None:
    """Suspend a customer, or resume it."""
    transaction.connection.execute(update(customer).where(customer.c.tsp_id == tsp_id).values(suspended=suspended))


def remove(transaction: Transaction, tsp_id: str) -> None:
    """Remove a customer; its record stays, so that the identifier is never given to another."""
    transaction.connection.execute(
        update(customer).where(customer.c.tsp_id == tsp_id).values(removed_at=transaction.now)
    )


def let_go(transaction: Transaction, tsp_ids: Collection[str]) -> None:
    """Count that the servers of these customers are let go."""
    counted = {"let_go": customer.c.let_go + 1}
    transaction.connection.execute(update(customer).where(customer.c.tsp_id.in_(list(tsp_ids))).values(counted))


def times_let_go(connection: Connection, tsp_ids: Collection[str] | None) -> dict[str, int]:
    """Return how often the servers of these customers, or of all, were let go; who never was is not in it."""
    query = select(customer.c.tsp_id, customer.c.let_go).where(customer.c.let_go > 0)
    if tsp_ids is not None:
        query = query.where(customer.c.tsp_id.in_(list(tsp_ids)))
    return {row.tsp_id: row.let_go for row in connection.execute(query)}


def _customer(row: Row[tuple[object, ...]]) -> Customer:
    return Customer(row.tsp_id, CustomerKind(row.kind), row.organization, row.created_at, row.suspended)
