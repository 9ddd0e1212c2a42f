"""Customers' CA chains and their endorsement, in the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from bothways.errors import NotFound
from bothways.pki.chain import Chain
from bothways.store.database import Transaction
from bothways.store.schema import endpoint
from bothways.store.schema_outbound import chain


class ChainState(StrEnum):
    """A chain counts as trust anchors only while it is `endorsed`."""

    SUBMITTED = "submitted"
    ENDORSED = "endorsed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class StoredChain:
    """A chain with its number, its owner and the decision.

    `spki_pins` are those of the keys that the server may have; none if every key is believed that the chain certified.
    """

    id: int
    tsp_id: str
    pem: str
    fingerprint: str
    not_after: datetime
    state: ChainState
    submitted_at: datetime
    decided_by: str | None
    reason: str | None
    spki_pins: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the chain as the JSON object that API and command line show."""
        return {
            "id": self.id,
            "customer": self.tsp_id,
            "fingerprint": self.fingerprint,
            "not_after": self.not_after.isoformat(),
            "state": self.state.value,
            "submitted_at": self.submitted_at.isoformat(),
            "decided_by": self.decided_by,
            "reason": self.reason,
            "spki_pins": list(self.spki_pins),
        }


def add(transaction: Transaction, tsp_id: str, record: Chain) -> int:
    """Store a chain under review; return its number. Its end is that of the certificate that ends first."""
    return transaction.insert(
        chain,
        tsp_id=tsp_id,
        pem=record.pem,
        fingerprint=record.fingerprint,
        not_after=min(each.not_valid_after_utc for each in record.certificates),
        state=ChainState.SUBMITTED.value,
        submitted_at=transaction.now,
        spki_pins="",
    )


def find(connection: Connection, number: int) -> StoredChain:
    """Return a chain. Raises `NotFound`."""
    row = connection.execute(select(chain).where(chain.c.id == number)).first()
    if not row:
        raise absent(number)
    return _stored(row)


def absent(number: int) -> NotFound:
    """Return the error that says that there is no such chain."""
    return NotFound(f"there is no chain {number}.", "Look at: bothways chain list")


def every(
    connection: Connection,
    tsp_id: str | None = None,
    state: ChainState | None = None,
    after: int = 0,
    limit: int | None = None,
) -> tuple[StoredChain, ...]:
    """Return all chains, or those of one customer, or in one state, oldest first, after a number."""
    query = select(chain).where(chain.c.id > after).order_by(chain.c.id).limit(limit)
    if tsp_id is not None:
        query = query.where(chain.c.tsp_id == tsp_id)
    if state is not None:
        query = query.where(chain.c.state == state.value)
    return tuple(_stored(row) for row in connection.execute(query))


def ending(connection: Connection, now: datetime, until: datetime) -> tuple[tuple[int, str, datetime], ...]:
    """Return number, tspId and end of the endorsed chains that have not ended at `now`, and end until then."""
    found = select(chain.c.id, chain.c.tsp_id, chain.c.not_after).where(
        chain.c.state == ChainState.ENDORSED.value, chain.c.not_after > now, chain.c.not_after <= until
    )
    return tuple((row.id, row.tsp_id, row.not_after) for row in connection.execute(found))


def count_in(connection: Connection, state: ChainState) -> int:
    """Return how many chains are in a state."""
    return connection.execute(select(func.count()).where(chain.c.state == state.value)).scalar_one()


def endorsed(connection: Connection, tsp_ids: Collection[str] | None) -> dict[str, tuple[StoredChain, ...]]:
    """Return the endorsed chains of these customers, or of all, by tspId, oldest first."""
    # Of some customers the state is looked at here: in the query, SQLite may go through all that are endorsed for it.
    whose = chain.c.state == ChainState.ENDORSED.value if tsp_ids is None else chain.c.tsp_id.in_(tsp_ids)
    stored = (_stored(row) for row in connection.execute(select(chain).where(whose)))
    found: dict[str, tuple[StoredChain, ...]] = {}
    for each in sorted((each for each in stored if each.state is ChainState.ENDORSED), key=lambda each: each.id):
        found[each.tsp_id] = (*found.get(each.tsp_id, ()), each)
    return found


def endorsed_for_others(connection: Connection, tsp_id: str, fingerprints: Collection[str]) -> frozenset[str]:
    """Return those of these fingerprints of roots that are endorsed for other customers than this one."""
    # The state in a form that no index has: SQLite would go through all that are endorsed, past the index of the roots.
    # One is enough, for thousands of customers may have the same public root.
    is_endorsed = chain.c.state.concat("") == ChainState.ENDORSED.value
    one = select(chain.c.id).where(chain.c.fingerprint == bindparam("root"), is_endorsed, chain.c.tsp_id != tsp_id)
    found = one.limit(1)
    return frozenset(each for each in fingerprints if connection.scalar(found, {"root": each}) is not None)


def pin(transaction: Transaction, number: int, spki_pins: Collection[str]) -> None:
    """Record which keys the server may have."""
    values = update(chain).where(chain.c.id == number).values(spki_pins=" ".join(spki_pins))
    transaction.connection.execute(values)


def decide(transaction: Transaction, number: int, state: ChainState, reason: str | None = None) -> None:
    """Record the decision about a chain."""
    transaction.connection.execute(
        update(chain)
        .where(chain.c.id == number)
        .values(state=state.value, decided_at=transaction.now, decided_by=transaction.actor, reason=reason)
    )
    # Its server is judged by another chain from now on.
    whose = select(chain.c.tsp_id).where(chain.c.id == number).scalar_subquery()
    transaction.connection.execute(update(endpoint).where(endpoint.c.tsp_id == whose).values(probe_at=None))


def _stored(row: Row[Any]) -> StoredChain:
    return StoredChain(
        row.id,
        row.tsp_id,
        row.pem,
        row.fingerprint,
        row.not_after,
        ChainState(row.state),
        row.submitted_at,
        row.decided_by,
        row.reason,
        tuple(row.spki_pins.split()),
    )
