"""The register of customers as people look through it: a page after a tspId, of those that a filter lets through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, or_, select

from bothways.registry.customer import CustomerKind
from bothways.store.chains import ChainState
from bothways.store.requests import RequestState
from bothways.store.schema import certificate, customer, probe, request
from bothways.store.schema_outbound import chain, submitted_endpoint
from bothways.store.submitted_endpoints import EndpointState


class Attention(StrEnum):
    """Why a customer may need a person: each is a question that the database answers from an index."""

    WAITING = "waiting"
    ENDING = "ending"
    UNCONNECTED = "unconnected"
    UNPROVED = "unproved"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which customers: `find` is the beginning of a tspId or a part of an organization's name, empty for all.

    `until` is what counts as ending soon.
    """

    now: datetime
    until: datetime
    find: str = ""
    kind: CustomerKind | None = None
    attention: Attention | None = None
    suspended: bool | None = None


def page(connection: Connection, wanted: Filter, after: str, limit: int) -> tuple[str, ...]:
    """Return the tspIds of at most `limit` customers after this one that the filter lets through, in order."""
    if "\0" in after + wanted.find:
        # Nobody is called so, and PostgreSQL cannot even be asked.
        return ()
    query = select(customer.c.tsp_id).where(customer.c.removed_at.is_(None), customer.c.tsp_id > after)
    if wanted.find:
        named = customer.c.organization.icontains(wanted.find, autoescape=True)
        query = query.where(or_(customer.c.tsp_id.startswith(wanted.find, autoescape=True), named))
    if wanted.kind is not None:
        query = query.where(customer.c.kind == wanted.kind.value)
    if wanted.suspended is not None:
        query = query.where(customer.c.suspended.is_(wanted.suspended))
    if wanted.attention is not None:
        query = query.where(_needing(wanted, wanted.attention))
    return tuple(connection.scalars(query.order_by(customer.c.tsp_id).limit(limit)))


def _needing(wanted: Filter, attention: Attention) -> ColumnElement[bool]:
    own = customer.c.tsp_id
    if attention is Attention.SUSPENDED:
        return customer.c.suspended.is_(True)
    if attention is Attention.WAITING:
        return or_(
            own.in_(select(request.c.tsp_id).where(request.c.state == RequestState.SUBMITTED.value)),
            own.in_(select(chain.c.tsp_id).where(chain.c.state == ChainState.SUBMITTED.value)),
            own.in_(
                select(submitted_endpoint.c.tsp_id).where(submitted_endpoint.c.state == EndpointState.SUBMITTED.value)
            ),
        )
    if attention is Attention.ENDING:
        issued = certificate.c.der.is_not(None), certificate.c.revoked_at.is_(None)
        return or_(
            own.in_(select(certificate.c.tsp_id).where(*issued, *_soon(wanted, certificate.c.not_after))),
            own.in_(
                select(chain.c.tsp_id).where(
                    chain.c.state == ChainState.ENDORSED.value, *_soon(wanted, chain.c.not_after)
                )
            ),
        )
    if attention is Attention.UNCONNECTED:
        # One look through their index, and not one per customer, for which SQLite may choose another index.
        seen = certificate.c.seen_at.is_not(None), certificate.c.revoked_at.is_(None)
        return own.not_in(select(certificate.c.tsp_id).where(*seen))
    later = probe.alias()
    last = ~select(later.c.id).where(later.c.tsp_id == own, later.c.id > probe.c.id).exists()
    return select(probe.c.id).where(probe.c.tsp_id == own, probe.c.ok.is_(False), last).exists()


def _soon(wanted: Filter, column: ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    return column > wanted.now, column <= wanted.until
