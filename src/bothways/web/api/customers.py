"""Customers in the API: list, add, show, suspend, resume, remove; how they enroll."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from bothways.connectivity.assess import State
from bothways.contract.document import KeyType
from bothways.contract.recipe import Shell, openssl_recipe
from bothways.contract.subject import Subject
from bothways.operations import customers, enrolment, observations
from bothways.operations.customers import CustomerFilter
from bothways.operations.hub import Hub
from bothways.registry.access import Action
from bothways.registry.customer import CustomerKind
from bothways.store.register import Attention
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.etag import IfMatch, require_match, tagged
from bothways.web.api.gate import SHOWN_ONCE, Gate
from bothways.web.api.inputs import NO_REASON, Body, OptionalReason, Reason, TspId, Whole, Why, ruled
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, TspIdCursor, page

_Word = Annotated[str, Query(min_length=1, max_length=64)]
_DAYS_MOST = 90


class NewCustomer(Body):
    """What a customer is registered with."""

    customer: Annotated[str, ruled(pattern="^[0-9A-Za-z]{1,32}$")]
    kind: CustomerKind
    organization: Annotated[str, ruled(minLength=1, maxLength=64)]


class Password(Body):
    """For how long a one-time password can be used."""

    days: Whole = Field(7, ge=1, le=_DAYS_MOST)


def customers_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("customers")

    @router.get("")
    def _list(
        by: Asks,
        kind: CustomerKind | None = None,
        suspended: bool | None = None,  # noqa: FBT001 - a parameter of the URL
        search: Annotated[_Word | None, Query(description="The tspId's beginning, or a part of the name.")] = None,
        attention: Annotated[Attention | None, Query(description="Only those that may need a person, and why.")] = None,
        inbound: State | None = None,
        outbound: State | None = None,
        after: TspIdCursor = "",
        limit: Limit = LIMIT,
    ) -> Document:
        """List customers by tspId, with the state of their flows; a customer sees itself.

        With a state of a flow as filter, a page may hold fewer than there are: go on while there is a `next`.
        """
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        if by.tsp_id is not None:
            return {"items": [customers.show_customer(hub, by.tsp_id).document()], "next": None}
        wanted = CustomerFilter(kind, suspended, search, attention, inbound, outbound)
        found = customers.page_customers(hub, after, limit, wanted)
        return {"items": [each.document() for each in found.items], "next": found.following}

    @router.post("", status_code=201)
    def _add(by: Asks, body: NewCustomer) -> Document:
        """Register a customer under its tspId."""
        hub = by.may(Action.CUSTOMER_WRITE)
        customers.add_customer(hub, body.customer, body.kind, body.organization)
        return customers.show_customer(hub, body.customer).document()

    @router.get("/{tsp_id}")
    def _show(by: Asks, tsp_id: TspId, response: Response) -> Document:
        """Show a customer: each flow with its checklist."""
        return tagged(response, _document(by.may(Action.CUSTOMER_READ, tsp_id), tsp_id))

    @router.get("/{tsp_id}/observations")
    def _observations(by: Asks, tsp_id: TspId, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List why calls of a customer to the endpoint failed, the last one first, each with its repair."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        found = observations.list_observations(hub, tsp_id, after=after, limit=limit + 1)
        return page(found, limit, lambda each: each.id, lambda each: each.document())

    _put_standing(router)
    _put_enrolment(router)
    return router


def _put_standing(router: APIRouter) -> None:
    @router.post("/{tsp_id}/suspend")
    async def _suspend(by: Asks, tsp_id: TspId, body: Reason, if_match: IfMatch = None) -> Document:
        """Let nothing through in either direction."""

        def work() -> Document:
            hub = _read(by, tsp_id, if_match)
            customers.suspend_customer(hub, tsp_id, body.reason)
            return customers.show_customer(hub, tsp_id).document()

        return await by.change(work)

    @router.post("/{tsp_id}/resume")
    async def _resume(by: Asks, tsp_id: TspId, body: OptionalReason = NO_REASON, if_match: IfMatch = None) -> Document:
        """Resume a suspended customer."""

        def work() -> Document:
            hub = _read(by, tsp_id, if_match)
            customers.resume_customer(hub, tsp_id, body.reason)
            return customers.show_customer(hub, tsp_id).document()

        return await by.change(work)

    @router.delete("/{tsp_id}")
    async def _remove(by: Asks, tsp_id: TspId, reason: Why, if_match: IfMatch = None) -> Document:
        """Remove a customer for good: certificates revoked, chains, services and endpoint withdrawn."""

        def work() -> Document:
            customers.remove_customer(_read(by, tsp_id, if_match), tsp_id, reason)
            return {"customer": tsp_id, "removed": True}

        return await by.change(work)


def _put_enrolment(router: APIRouter) -> None:
    @router.post("/{tsp_id}/enrolment-password", status_code=201, openapi_extra=SHOWN_ONCE)
    def _enrolment_password(by: Asks, tsp_id: TspId, body: Password) -> Document:
        """Make a one-time password with which the customer's software enrolls (EST). It is shown once."""
        hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
        password = enrolment.enrolment_password(hub, tsp_id, body.days)
        est = f"{hub.terms.portal}/.well-known/est"
        return {"customer": tsp_id, "password": password, "days": body.days, "est": est}

    @router.get("/{tsp_id}/openssl")
    def _openssl(
        by: Asks,
        tsp_id: TspId,
        shell: Shell = Shell.BASH,
        key: KeyType = KeyType.ECDSA,
        country: _Word = "XX",
        state: _Word = "STATE",
        locality: _Word = "LOCALITY",
        unit: _Word = "UNIT",
    ) -> Document:
        """Print the OpenSSL commands with which the customer makes its key and request (R9)."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        customer = customers.show_customer(hub, tsp_id).customer
        subject = Subject(country, state, locality, customer.organization, unit)
        return {"commands": openssl_recipe(hub.terms, tsp_id, key, subject, shell)}


def _read(by: Caller, tsp_id: str, if_match: str | None) -> Hub:
    """Return the hub for a change of the customer that the caller read."""
    hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
    if if_match is not None:
        require_match(if_match, _document(hub, tsp_id))
    return hub


def _document(hub: Hub, tsp_id: str) -> Document:
    return customers.show_customer(hub, tsp_id).document()
