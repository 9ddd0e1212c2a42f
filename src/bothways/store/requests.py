"""Certification requests in the database, with what was decided about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from bothways.errors import NotFound
from bothways.pki.reading import Reading, read_again
from bothways.pki.request import CertificationRequest, require_proved
from bothways.store.database import Transaction
from bothways.store.schema import request


class RequestState(StrEnum):
    """A request waits for review until a person approves or refuses it; an approval can be withdrawn, for good."""

    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


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


@dataclass(frozen=True)
class UnprovedRequest:
    """The same before the proof of possession was looked at again: its bytes as they were stored (DER)."""

    id: int
    tsp_id: str
    der: bytes
    state: RequestState
    submitted_at: datetime
    decided_by: str | None
    reason: str | None

    @cached_property
    def reading(self) -> Reading:
        """What it says. Raises `Refused` if it cannot be read."""
        return read_again(self.der, "request")

    def proved(self, *, vouched: bool = False) -> StoredRequest:
        """Return the request, which holds. Raises `Refused`; `vouched` is that of `pki.request.require_proved`."""
        return self.with_request(require_proved(self.reading, "request", vouched=vouched))

    def with_request(self, proved: CertificationRequest) -> StoredRequest:
        """Return the request, made of the same bytes earlier."""
        return StoredRequest(self.id, self.tsp_id, proved, self.state, self.submitted_at, self.decided_by, self.reason)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who holds a key by a request that was not refused; `fingerprint` is the request's."""

    tsp_id: str
    fingerprint: str


# Made once: a statement costs more to make than to run.
_HELD = request.c.state != RequestState.REFUSED.value
_BY_NUMBERS = select(request).where(request.c.id.in_(bindparam("numbers", expanding=True)))
_BY_FINGERPRINT = select(request).where(request.c.fingerprint == bindparam("digest"))
_HOLDERS = select(request.c.spki_pin, request.c.tsp_id, request.c.fingerprint).where(
    request.c.spki_pin.in_(bindparam("pins", expanding=True)), _HELD
)
_DECIDE = (
    update(request)
    .where(request.c.id.in_(bindparam("numbers", expanding=True)))
    .values(state=bindparam("to"), decided_at=bindparam("at"), decided_by=bindparam("actor"), reason=bindparam("why"))
)


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
    row = connection.execute(_BY_FINGERPRINT, {"digest": record.fingerprint}).first()
    if row is None:
        return None
    found = _unproved(row)
    # The same bytes need no second proof of possession: whoever has them as a `CertificationRequest` has it.
    return found.with_request(record) if found.der == record.der else found.proved()


def key_holders(connection: Connection, spki_pins: Collection[str]) -> dict[str, KeyHolder]:
    """Return by SPKI pin who holds each of these keys; one that nobody holds is not in it."""
    rows = connection.execute(_HOLDERS, {"pins": list(spki_pins)})
    return {row.spki_pin: KeyHolder(row.tsp_id, row.fingerprint) for row in rows}


def every_key(connection: Connection) -> tuple[str, ...]:
    """Return the SPKI pin of each key that a request, refused or not, ever asked a certificate for, in order."""
    return tuple(connection.scalars(select(request.c.spki_pin).distinct().order_by(request.c.spki_pin)))


def find(connection: Connection, number: int) -> StoredRequest:
    """Return a request. Raises `NotFound`."""
    found = many(connection, (number,))
    if not found:
        raise absent(number)
    return found[number]


def many(connection: Connection, numbers: Collection[int]) -> dict[int, StoredRequest]:
    """Return requests by their numbers; one that is not there is not in it."""
    return {number: each.proved() for number, each in unproved(connection, numbers).items()}


def unproved(connection: Connection, numbers: Collection[int]) -> dict[int, UnprovedRequest]:
    """Return the same as they are stored, for who looks at many proofs at once."""
    rows = connection.execute(_BY_NUMBERS, {"numbers": list(numbers)})
    return {row.id: _unproved(row) for row in rows}


def absent(number: int) -> NotFound:
    """Return the error that says that there is no such request."""
    return NotFound(f"there is no request {number}.", "Look at: bothways request list")


def every(
    connection: Connection,
    tsp_id: str | None = None,
    state: RequestState | None = None,
    after: int = 0,
    limit: int | None = None,
) -> tuple[StoredRequest, ...]:
    """Return requests, oldest first: of all customers or of one, in any state or in one, after a number."""
    query = select(request).where(request.c.id > after).order_by(request.c.id).limit(limit)
    if tsp_id is not None:
        query = query.where(request.c.tsp_id == tsp_id)
    if state is not None:
        query = query.where(request.c.state == state.value)
    return tuple(_unproved(row).proved() for row in connection.execute(query))


def numbers_in(connection: Connection, state: RequestState, tsp_id: str | None = None) -> tuple[int, ...]:
    """Return the numbers of the requests in a state, of all customers or of one, oldest first."""
    query = select(request.c.id).where(request.c.state == state.value).order_by(request.c.id)
    if tsp_id is not None:
        query = query.where(request.c.tsp_id == tsp_id)
    return tuple(connection.scalars(query))


def count_in(connection: Connection, state: RequestState) -> int:
    """Return how many requests are in a state."""
    return int(connection.execute(select(func.count()).where(request.c.state == state.value)).scalar_one())


def decide(transaction: Transaction, number: int, state: RequestState, reason: str | None = None) -> None:
    """Record the decision about a request."""
    decide_all(transaction, (number,), state, reason)


def decide_all(
    transaction: Transaction, numbers: Collection[int], state: RequestState, reason: str | None = None
) -> None:
    """Record one decision about these requests."""
    decision = {"to": state.value, "at": transaction.now, "actor": transaction.actor, "why": reason}
    transaction.connection.execute(_DECIDE, decision | {"numbers": list(numbers)})


def _unproved(row: Row[Any]) -> UnprovedRequest:
    state = RequestState(row.state)
    return UnprovedRequest(row.id, row.tsp_id, row.der, state, row.submitted_at, row.decided_by, row.reason)
