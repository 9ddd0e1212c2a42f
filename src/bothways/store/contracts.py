"""Who has taken the contract, and when: what customers fetched and said; with the bundles that were handed to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, or_, select

from bothways.store.database import Transaction
from bothways.store.schema import certificate, customer
from bothways.store.schema_statements import bundle, contract_taken


class Way(StrEnum):
    """By what a customer is known to have the contract that was in force."""

    FETCHED = "fetched"
    """It fetched that, at the endpoint with its certificate, or by the API with its token."""

    IN_FORCE = "in force"
    """Its spoke named that as the one by which it works."""

    PORTAL = "portal"
    """One of its people downloaded the CAs of the endpoint."""

    BUNDLE = "bundle"
    """It was handed a bundle, with that in it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """When a customer took the contract, and how that is known."""

    at: datetime
    way: Way


def take(transaction: Transaction, tsp_id: str, way: Way) -> None:
    """Record that a customer has the contract that is in force now."""
    transaction.connection.execute(delete(contract_taken).where(contract_taken.c.tsp_id == tsp_id))
    row = insert(contract_taken).values(tsp_id=tsp_id, at=transaction.now, way=way.value)
    transaction.connection.execute(row)


def last_taken(connection: Connection, tsp_id: str) -> Taken | None:
    """Return when a customer took the contract last, by the newest that tells of it; None if nothing does."""
    row = connection.execute(select(contract_taken).where(contract_taken.c.tsp_id == tsp_id)).first()
    handed_out = connection.scalar(select(func.max(bundle.c.made_at)).where(bundle.c.tsp_id == tsp_id))
    known = [Taken(row.at, Way(row.way))] if row else []
    known += [Taken(handed_out, Way.BUNDLE)] if handed_out else []
    return max(known, key=lambda each: each.at, default=None)


def behind(connection: Connection, since: datetime, now: datetime, after: str, limit: int) -> dict[str, str]:
    """Return who can call and has not taken the contract since a moment: organizations by tspId, those that come after.

    Who has no certificate in force cannot call; who was registered since then never had another contract.
    """
    query = select(customer.c.tsp_id, customer.c.organization).where(_behind(since, now), customer.c.tsp_id > after)
    rows = connection.execute(query.order_by(customer.c.tsp_id).limit(limit))
    return {row.tsp_id: row.organization for row in rows}


def count_behind(connection: Connection, since: datetime, now: datetime) -> int:
    """Return how many those are."""
    return connection.execute(select(func.count()).select_from(customer).where(_behind(since, now))).scalar_one()


def _behind(since: datetime, now: datetime) -> ColumnElement[bool]:
    calls = exists().where(
        certificate.c.tsp_id == customer.c.tsp_id,
        certificate.c.der.is_not(None),
        certificate.c.revoked_at.is_(None),
        certificate.c.not_after > now,
    )
    taken = exists().where(contract_taken.c.tsp_id == customer.c.tsp_id, contract_taken.c.at >= since)
    handed_out = exists().where(bundle.c.tsp_id == customer.c.tsp_id, bundle.c.made_at >= since)
    return and_(customer.c.removed_at.is_(None), customer.c.created_at < since, calls, ~or_(taken, handed_out))
