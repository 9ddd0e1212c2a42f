"""Services of the hub and who was granted them, in the database."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from bothways.errors import NotFound
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store.database import Transaction
from bothways.store.schema import granted, service


def add(transaction: Transaction, record: Service) -> None:
    """Store a new service."""
    transaction.connection.execute(
        insert(service).values(
            name=record.name,
            prefix=record.prefix,
            upstream=record.upstream,
            needs=" ".join(sorted(flow.value for flow in record.needs)),
        )
    )


def find(connection: Connection, name: str) -> Service:
    """Return a service. Raises `NotFound`."""
    row = connection.execute(select(service).where(service.c.name == name)).first()
    if not row:
        raise NotFound(f"there is no service {name}. Look at: bothways service list")
    return _service(row)


def every(connection: Connection) -> tuple[Service, ...]:
    """Return all services, by name."""
    return tuple(_service(row) for row in connection.execute(select(service).order_by(service.c.name)))


def grant(transaction: Transaction, name: str, tsp_id: str) -> bool:
    """Grant a service to a customer; return False if it was granted already."""
    if tsp_id in grants(transaction.connection).get(name, frozenset()):
        return False
    transaction.connection.execute(insert(granted).values(service=name, tsp_id=tsp_id, granted_at=transaction.now))
    return True


def withdraw(transaction: Transaction, name: str | None, tsp_id: str) -> bool:
    """Withdraw a service, or all, from a customer; return False if there was nothing to withdraw."""
    query = delete(granted).where(granted.c.tsp_id == tsp_id)
    if name is not None:
        query = query.where(granted.c.service == name)
    return transaction.connection.execute(query).rowcount > 0


def grants(connection: Connection) -> dict[str, frozenset[str]]:
    """Return the tspIds that each service was granted to, by the service's name."""
    by_service: dict[str, set[str]] = {}
    for row in connection.execute(select(granted)):
        by_service.setdefault(row.service, set()).add(row.tsp_id)
    return {name: frozenset(tsp_ids) for name, tsp_ids in by_service.items()}


def _service(row: Row[Any]) -> Service:
    return Service(row.name, row.prefix, row.upstream, frozenset(Flow(each) for each in row.needs.split()))
