"""Customers' servers in the API: shown, set, submitted, reviewed (R11)."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from bothways.errors import NotFound
from bothways.operations import endpoints
from bothways.operations.hub import Hub
from bothways.operations.two_people import proposal_document
from bothways.outbound.look_up import endpoint_seen
from bothways.registry.access import Action
from bothways.registry.endpoint import Endpoint
from bothways.store.proposals import Kind
from bothways.store.submitted_endpoints import SubmittedEndpoint, absent
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.described import TWO_PEOPLE
from bothways.web.api.etag import IfMatch, IfNoneMatch, require_match, tagged
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body, Number, Reason, TspId
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page
from bothways.web.problem import Told


class BaseUrl(Body):
    """The base URL of a customer's server."""

    url: str = Field(max_length=2048)


class NewEndpoint(BaseUrl):
    """The base URL that a customer names."""

    customer: str


def endpoint_router(gate: Gate) -> APIRouter:
    """Return the routes of the one endpoint of a customer."""
    router = gate.router("endpoints", "/customers/{tsp_id}/endpoint")

    @router.get("")
    def _show(by: Asks, tsp_id: TspId, response: Response) -> Document:
        """Show where a customer's server is."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        return tagged(response, endpoints.show_endpoint(hub, tsp_id).document(tsp_id))

    @router.put("", responses=TWO_PEOPLE)
    async def _set(
        by: Asks, tsp_id: TspId, body: BaseUrl, if_match: IfMatch = None, if_none_match: IfNoneMatch = None
    ) -> Document:
        """Record the base URL of a customer's server, in place of the one that was read; a probe has to prove it."""

        def work() -> Document:
            hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
            before = _before(hub, tsp_id, if_match, if_none_match)
            return endpoint_seen(hub, tsp_id, endpoints.set_endpoint(hub, tsp_id, body.url, before=before))

        return await by.change(work)

    return router


def endpoints_router(gate: Gate) -> APIRouter:
    """Return the routes of the review."""
    router = gate.router("endpoints")

    @router.get("")
    def _list(
        by: Asks,
        customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List the base URLs that wait for review, oldest first; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = endpoints.waiting_endpoints(hub, customer or by.tsp_id, after, limit + 1)
        return page(found, limit, lambda each: each.id, SubmittedEndpoint.document)

    @router.post("", status_code=201)
    async def _submit(by: Asks, body: NewEndpoint) -> Document:
        """Submit a base URL for review; if only the path is new, it is in force at once (`state` is `approved`)."""

        def work() -> Document:
            hub = by.may(Action.ENDPOINT_WRITE, body.customer)
            return endpoint_seen(hub, body.customer, endpoints.submit_endpoint(hub, body.customer, body.url))

        return await by.change(work)

    @router.get("/{number}")
    def _show(by: Asks, number: Number, response: Response) -> Document:
        """Show a base URL that was submitted."""
        hub, submitted = _submitted(by, Action.CUSTOMER_READ, number)
        return tagged(response, _shown(hub, submitted))

    @router.post("/{number}/approve", responses=TWO_PEOPLE)
    async def _approve(by: Asks, number: Number, if_match: IfMatch = None) -> Document:
        """Approve a base URL; the customer is called there once a probe has proved it."""

        def work() -> Document:
            hub, submitted = _submitted(by, Action.ENDPOINT_DECIDE, number)
            require_match(if_match, _shown(hub, submitted))
            return endpoints.approve_endpoint(hub, number).document()

        return await by.change(work)

    @router.post("/{number}/refuse")
    def _refuse(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Refuse a base URL; where the customer is called stays as it is."""
        hub, submitted = _submitted(by, Action.ENDPOINT_DECIDE, number)
        require_match(if_match, _shown(hub, submitted))
        return endpoints.refuse_endpoint(hub, number, body.reason).document()

    return router


def _shown(hub: Hub, submitted: SubmittedEndpoint) -> Document:
    return submitted.document() | proposal_document(hub, Kind.ENDPOINT, submitted.id)


def _before(hub: Hub, tsp_id: str, if_match: str | None, if_none_match: str | None) -> Endpoint | None:
    """Return the endpoint that the caller read, or None if there was none. Raises 412 and 428."""
    if if_match is None and if_none_match != "*":
        raise Told(
            HTTPStatus.PRECONDITION_REQUIRED,
            "say what is replaced: the ETag of the endpoint as If-Match, or `If-None-Match: *` if there is none.",
        )
    try:
        current = endpoints.show_endpoint(hub, tsp_id)
    except NotFound:
        current = None
    if if_none_match == "*" and current is not None:
        raise Told(HTTPStatus.PRECONDITION_FAILED, "there is an endpoint. Read it, and send its ETag as If-Match.")
    if if_match is not None:
        require_match(if_match, current.document(tsp_id) if current else {})
    return current


def _submitted(by: Caller, action: Action, number: int) -> tuple[Hub, SubmittedEndpoint]:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    stored = endpoints.show_submitted_endpoint(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(action, stored.tsp_id, absent(number)), stored
