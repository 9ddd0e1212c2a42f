"""Services of the hub and who was granted them, in the database."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from bothways.errors import NotFound
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store.database import Transaction
from bothways.store.schema import customer, granted, service


def add(transaction: Transaction, record: Service) -> None:
    """Store a new service."""
    transaction.connection.execute(
        insert(service).values(
            name=record.name,
            prefix=record.prefix,
            upstream=record.upstream,
            needs=" ".join(sorted(flow.value for flow in record.needs)),
            upstream_ca=record.upstream_ca,
            http2=record.http2,
            timeout=record.timeout,
            streaming=record.streaming,
            health_path=record.health_path,
            strip_prefix=record.strip_prefix,
            client_cert=record.client_cert,
        )
    )


def find(connection: Connection, name: str) -> Service:
    """Return a service. Raises `NotFound`."""
    row = connection.execute(select(service).where(service.c.name == name)).first()
    if not row:
        raise NotFound(f"there is no service {name}.", "Look at: bothways service list")
    return _service(row)


def every(connection: Connection) -> tuple[Service, ...]:
    """Return all services, by name."""
    return tuple(_service(row) for row in connection.execute(select(service).order_by(service.c.name)))


def grant(transaction: Transaction, name: str, tsp_id: str) -> bool:
    """Grant a service to a customer; return False if it was granted already."""
    there = select(granted.c.granted_at).where(granted.c.service == name, granted.c.tsp_id == tsp_id)
    if transaction.connection.execute(there).first():
        return False
    transaction.connection.execute(insert(granted).values(service=name, tsp_id=tsp_id, granted_at=transaction.now))
    return True


def withdraw(transaction: Transaction, name: str, tsp_id: str) -> bool:
    """Withdraw a service from a customer; return False if it was not granted."""
    query = delete(granted).where(granted.c.tsp_id == tsp_id, granted.c.service == name)
    return transaction.connection.execute(query).rowcount > 0


def count_grants(connection: Connection) -> dict[str, int]:
    """Return how many customers each service was granted to, by its name; of one that nobody has, nothing."""
    counted = select(granted.c.service, func.count().label("customers")).group_by(granted.c.service)
    return {row.service: row.customers for row in connection.execute(counted)}


def grants_to(connection: Connection, name: str, after: str, limit: int) -> dict[str, str]:
    """Return the organizations that a service was granted to, by tspId: so many after a tspId, in order."""
    query = (
        select(granted.c.tsp_id, customer.c.organization)
        .join(customer, granted.c.tsp_id == customer.c.tsp_id)
        .where(granted.c.service == name, granted.c.tsp_id > after)
        .order_by(granted.c.tsp_id)
        .limit(limit)
    )
    return {row.tsp_id: row.organization for row in connection.execute(query)}


def grants_of(connection: Connection, tsp_ids: Collection[str] | None) -> dict[str, frozenset[str]]:
    """Return the names of the services that were granted to these customers, or to all, by tspId."""
    query = select(granted.c.tsp_id, granted.c.service)
    by_customer: dict[str, set[str]] = {}
    for row in connection.execute(query if tsp_ids is None else query.where(granted.c.tsp_id.in_(tsp_ids))):
        by_customer.setdefault(row.tsp_id, set()).add(row.service)
    return {tsp_id: frozenset(names) for tsp_id, names in by_customer.items()}


def _service(row: Row[Any]) -> Service:
    # Each column is named as the field that it holds.
    return Service(**{**row._mapping, "needs": frozenset(Flow(each) for each in row.needs.split())})  # noqa: SLF001
