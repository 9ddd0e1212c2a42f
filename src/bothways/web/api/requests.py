"""Certification requests in the API: list, submit, show, approve, refuse, withdraw."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from bothways.operations import certificates, renewal, requests
from bothways.operations.approvals import approvals_document
from bothways.operations.hub import Hub
from bothways.operations.request_check import check_document
from bothways.operations.two_people import proposal_document
from bothways.registry.access import Action
from bothways.store.proposals import Kind
from bothways.store.requests import RequestState, StoredRequest, absent
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.described import TWO_PEOPLE
from bothways.web.api.etag import IfMatch, require_match, tagged
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import NUMBER_MOST, Body, Flag, Number, Reason, Whole
from bothways.web.api.paging import LIMIT, PLAIN_MOST, Limit, NumberCursor, PlainLimit, page

MANY = 1000
"""Requests that one request of the API approves at most."""


class NewRequest(Body):
    """A request (CSR) in PEM, for a customer; `renews` is the serial number of the certificate that it renews."""

    customer: str
    # The rules set a limit in bytes, and say it in words; this one only keeps the reading of JSON small.
    csr: str = Field(max_length=100_000)
    renews: str | None = Field(None, pattern="^[0-9a-f]{1,40}$")


class CheckedRequest(Body):
    """A request (CSR) in PEM that is only looked at, as that of a customer."""

    customer: str
    csr: str = Field(max_length=100_000)


class Chosen(Body):
    """The numbers of the requests to approve; `strict` leaves out those of which the rules warn."""

    numbers: list[Annotated[Whole, Field(ge=1, le=NUMBER_MOST)]] = Field(min_length=1, max_length=MANY)
    strict: Flag = False


def requests_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("requests")

    @router.get("")
    def _list(
        by: Asks,
        state: Annotated[RequestState | None, Query(description="Only those in this state.")] = None,
        customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List requests, oldest first; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = requests.list_requests(hub, customer or by.tsp_id, state, after, limit + 1)
        return page(found, limit, lambda each: each.id, StoredRequest.document)

    @router.post("", status_code=201)
    def _submit(by: Asks, body: NewRequest) -> Document:
        """Submit a request for review; the same one again is answered with the first."""
        hub = by.may(Action.REQUEST_SUBMIT, body.customer)
        stored = requests.submit_request(hub, body.customer, body.csr.encode(errors="replace"), "csr")
        if body.renews is not None:
            renewal.renews(hub, stored.id, body.renews)
        return _document(hub, stored.id)

    @router.post("/check")
    def _check(by: Asks, body: CheckedRequest) -> Document:
        """Look at a request without submitting it: all that the rules say of it. A private key in it is banned."""
        hub = by.may(Action.REQUEST_SUBMIT, body.customer)
        return check_document(hub, body.customer, body.csr.encode(errors="replace"), "csr")

    @router.get("/waiting")
    def _waiting(
        by: Asks,
        customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
        after: NumberCursor = 0,
        limit: PlainLimit = PLAIN_MOST,
    ) -> Document:
        """List the numbers of the requests that an approval would bring further."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = [each for each in requests.waiting_requests(hub, customer or by.tsp_id) if each > after]
        return page(found, limit, int, int)

    @router.post("/approve")
    async def _approve_many(by: Asks, body: Chosen) -> Document:
        """Approve many requests. One that cannot be approved does not keep the others from it."""

        def work() -> Document:
            hub = by.may(Action.REQUEST_DECIDE)
            found = list(requests.approve_all(hub, body.numbers, strict=body.strict))
            return approvals_document(hub, found)

        return await by.change(work)

    _put_decisions(router)
    return router


def _put_decisions(router: APIRouter) -> None:
    @router.get("/{number:int}")
    def _show(by: Asks, number: Number, response: Response) -> Document:
        """Show a request with what the rules say about it."""
        return tagged(response, _document(_hub_of(by, Action.CUSTOMER_READ, number), number))

    @router.post("/{number:int}/approve", responses=TWO_PEOPLE)
    async def _approve(by: Asks, number: Number, if_match: IfMatch = None) -> Document:
        """Approve a request, and issue its certificate, which is in the answer with its chain in PEM."""

        def work() -> Document:
            hub = _read(by, number, if_match)
            record = requests.approve_request(hub, number)
            return record.document(hub.now()) | {"chain": certificates.certificate_chain(hub, record)}

        return await by.change(work)

    @router.post("/{number:int}/refuse")
    def _refuse(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Refuse a request."""
        hub = _read(by, number, if_match)
        requests.refuse_request(hub, number, body.reason)
        return _document(hub, number)

    @router.post("/{number:int}/withdraw")
    async def _withdraw(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Withdraw an approval: no certificate of it stays usable."""

        def work() -> Document:
            hub = _read(by, number, if_match)
            record = certificates.withdraw_approval(hub, number, body.reason)
            return _document(hub, number) | {"certificate": record.document(hub.now())}

        return await by.change(work)


def _hub_of(by: Caller, action: Action, number: int) -> Hub:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    stored, _ = requests.show_request(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(action, stored.tsp_id, absent(number))


def _read(by: Caller, number: int, if_match: str | None) -> Hub:
    """Return the hub for a decision about what the caller read."""
    hub = _hub_of(by, Action.REQUEST_DECIDE, number)
    if if_match is not None:
        require_match(if_match, _document(hub, number))
    return hub


def _document(hub: Hub, number: int) -> Document:
    stored, findings = requests.show_request(hub, number)
    proposed = proposal_document(hub, Kind.REQUEST, number)
    return stored.document() | proposed | {"findings": [each.document() for each in findings]}
