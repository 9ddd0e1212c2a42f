"""Servers that customers named, until an operator has decided about them, in the database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from bothways.errors import NotFound
from bothways.registry.endpoint import Endpoint
from bothways.store.database import Transaction
from bothways.store.schema_outbound import submitted_endpoint


class EndpointState(StrEnum):
    """What became of a server that a customer named; `replaced` by the customer's next one before anybody decided."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class SubmittedEndpoint:
    """A server that a customer named, with its number and the decision."""

    id: int
    tsp_id: str
    endpoint: Endpoint
    state: EndpointState
    submitted_at: datetime
    decided_by: str | None
    reason: str | None

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that API and command line show."""
        return {
            "id": self.id,
            "customer": self.tsp_id,
            "url": self.endpoint.url,
            "state": self.state.value,
            "submitted_at": self.submitted_at.isoformat(),
            "decided_by": self.decided_by,
            "reason": self.reason,
        }


_WAITS = submitted_endpoint.c.state == EndpointState.SUBMITTED.value


def add(transaction: Transaction, tsp_id: str, record: Endpoint) -> SubmittedEndpoint:
    """Store a server under review."""
    number = transaction.insert(
        submitted_endpoint,
        tsp_id=tsp_id,
        host=record.host,
        port=record.port,
        path=record.path,
        state=EndpointState.SUBMITTED.value,
        submitted_at=transaction.now,
    )
    return find(transaction.connection, number)


def find(connection: Connection, number: int) -> SubmittedEndpoint:
    """Return a server that was named. Raises `NotFound`."""
    row = connection.execute(select(submitted_endpoint).where(submitted_endpoint.c.id == number)).first()
    if not row:
        raise absent(number)
    return _record(row)


def absent(number: int) -> NotFound:
    """Return the error that says that there is no such thing."""
    return NotFound(f"no endpoint was submitted with the number {number}.", "Look at: bothways endpoint list")


def waiting(
    connection: Connection, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[SubmittedEndpoint, ...]:
    """Return the servers under review, of all customers or of one, oldest first, after a number."""
    query = select(submitted_endpoint).where(_WAITS, submitted_endpoint.c.id > after)
    if tsp_id is not None:
        query = query.where(submitted_endpoint.c.tsp_id == tsp_id)
    return tuple(_record(row) for row in connection.execute(query.order_by(submitted_endpoint.c.id).limit(limit)))


def newest(connection: Connection, tsp_id: str) -> SubmittedEndpoint | None:
    """Return the server that a customer named last, whatever became of it."""
    each = submitted_endpoint.c
    row = connection.execute(
        select(submitted_endpoint).where(each.tsp_id == tsp_id).order_by(each.id.desc()).limit(1)
    ).first()
    return _record(row) if row else None


def count_waiting(connection: Connection) -> int:
    """Return how many servers are under review."""
    return connection.execute(select(func.count()).where(_WAITS)).scalar_one()


def owner(connection: Connection, host: str) -> str | None:
    """Return the tspId that waits for this host name, if anybody does."""
    each = submitted_endpoint.c
    query = select(each.tsp_id).where(each.host == host, each.state == EndpointState.SUBMITTED.value)
    return connection.execute(query).scalar_one_or_none()


def decide(transaction: Transaction, number: int, state: EndpointState, reason: str | None = None) -> None:
    """Record what became of it."""
    transaction.connection.execute(
        update(submitted_endpoint)
        .where(submitted_endpoint.c.id == number)
        .values(state=state.value, decided_at=transaction.now, decided_by=transaction.actor, reason=reason)
    )


def _record(row: Row[Any]) -> SubmittedEndpoint:
    return SubmittedEndpoint(
        row.id,
        row.tsp_id,
        Endpoint(row.host, row.port, row.path),
        EndpointState(row.state),
        row.submitted_at,
        row.decided_by,
        row.reason,
    )
