"""Certification requests in the database, with what was decided about them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from bothways.errors import NotFound
from bothways.pki.request import CertificationRequest, parse_request
from bothways.store.database import Transaction
from bothways.store.schema import request


class RequestState(StrEnum):
    """A request waits for review until a person approves or refuses it."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request with its number, its owner and the decision."""

    id: int
    tsp_id: str
    request: CertificationRequest
    state: RequestState
    submitted_at: datetime
    decided_by: str | None
    reason: str | None

    def document(self) -> dict[str, Any]:
        """Return the request as the JSON object that API and command line show."""
        return {
            "id": self.id,
            "customer": self.tsp_id,
            "subject": self.request.subject.rfc4514_string(),
            "fingerprint": self.request.fingerprint,
            "spki_pin": self.request.spki_pin,
            "state": self.state.value,
            "submitted_at": self.submitted_at.isoformat(),
            "decided_by": self.decided_by,
            "reason": self.reason,
        }


def add(transaction: Transaction, tsp_id: str, record: CertificationRequest) -> int:
    """Store a request under review; return its number."""
    return transaction.insert(
        request,
        tsp_id=tsp_id,
        der=record.der,
        fingerprint=record.fingerprint,
        spki_pin=record.spki_pin,
        state=RequestState.SUBMITTED.value,
        submitted_at=transaction.now,
    )


def same(connection: Connection, record: CertificationRequest) -> StoredRequest | None:
    """Return the request that was stored with exactly these bytes, if there is one."""
    row = connection.execute(select(request).where(request.c.fingerprint == record.fingerprint)).first()
    return _stored(row) if row else None


def key_in_use(connection: Connection, spki_pin: str) -> StoredRequest | None:
    """Return the request, not refused, that holds this key, if there is one."""
    held = request.c.state != RequestState.REFUSED.value
    row = connection.execute(select(request).where(request.c.spki_pin == spki_pin, held)).first()
    return _stored(row) if row else None


def find(connection: Connection, number: int) -> StoredRequest:
    """Return a request. Raises `NotFound`."""
    row = connection.execute(select(request).where(request.c.id == number)).first()
    if not row:
        raise NotFound(f"there is no request {number}. Look at: bothways request list")
    return _stored(row)


def every(connection: Connection, tsp_id: str | None = None) -> tuple[StoredRequest, ...]:
    """Return all requests, or those of one customer, oldest first."""
    query = select(request).order_by(request.c.id)
    if tsp_id is not None:
        query = query.where(request.c.tsp_id == tsp_id)
    return tuple(_stored(row) for row in connection.execute(query))


def decide(transaction: Transaction, number: int, state: RequestState, reason: str | None = None) -> None:
    """Record the decision about a request."""
    transaction.connection.execute(
        update(request)
        .where(request.c.id == number)
        .values(state=state.value, decided_at=transaction.now, decided_by=transaction.actor, reason=reason)
    )


def _stored(row: Row[tuple[object, ...]]) -> StoredRequest:
    state = RequestState(row.state)
    parsed = parse_request(row.der)
    return StoredRequest(row.id, row.tsp_id, parsed, state, row.submitted_at, row.decided_by, row.reason)
