"""Customers' servers and the probes of them, in the database."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from bothways.connectivity.facts import ProbeFact
from bothways.errors import NotFound
from bothways.registry.endpoint import Endpoint
from bothways.store.database import Transaction
from bothways.store.schema import endpoint, probe


def put(transaction: Transaction, tsp_id: str, record: Endpoint) -> None:
    """Store the customer's server, in place of the one before."""
    remove(transaction, tsp_id)
    transaction.connection.execute(
        insert(endpoint).values(
            tsp_id=tsp_id, host=record.host, port=record.port, path=record.path, set_at=transaction.now
        )
    )


def remove(transaction: Transaction, tsp_id: str) -> None:
    """Forget the customer's server."""
    transaction.connection.execute(delete(endpoint).where(endpoint.c.tsp_id == tsp_id))


def find(connection: Connection, tsp_id: str) -> Endpoint:
    """Return the customer's server. Raises `NotFound`."""
    row = connection.execute(select(endpoint).where(endpoint.c.tsp_id == tsp_id)).first()
    if not row:
        raise NotFound(f"customer {tsp_id} has no endpoint. Set one: bothways endpoint set {tsp_id} URL")
    return Endpoint(row.host, row.port, row.path)


def owner(connection: Connection, host: str) -> str | None:
    """Return the tspId whose server has this host name, if it is anybody's."""
    return connection.execute(select(endpoint.c.tsp_id).where(endpoint.c.host == host)).scalar_one_or_none()


def many(connection: Connection, tsp_ids: Collection[str] | None = None) -> dict[str, Endpoint]:
    """Return the servers of these customers, or of all, by tspId."""
    query = select(endpoint) if tsp_ids is None else select(endpoint).where(endpoint.c.tsp_id.in_(tsp_ids))
    return {row.tsp_id: Endpoint(row.host, row.port, row.path) for row in connection.execute(query)}


def add_probe(transaction: Transaction, tsp_id: str, record: ProbeFact) -> None:
    """Store what a probe saw."""
    transaction.connection.execute(
        insert(probe).values(tsp_id=tsp_id, address=record.address, at=record.at, ok=record.ok, seen=record.seen)
    )
