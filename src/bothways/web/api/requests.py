"""Certification requests in the API: list, submit, show, approve, refuse, withdraw."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from bothways.operations import certificates, requests
from bothways.operations.hub import Hub
from bothways.registry.access import Action
from bothways.store.requests import RequestState, StoredRequest, absent
from bothways.web.api.caller import Caller, Document
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class NewRequest(BaseModel):
    """A request (CSR) in PEM, for a customer."""

    model_config = ConfigDict(extra="forbid")

    customer: str
    # The rules set a limit in bytes, and say it in words; this one only keeps the reading of JSON small.
    csr: str = Field(max_length=100_000)


class Reason(BaseModel):
    """Why; it is recorded, and the customer will read it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000)


def requests_router(caller: Callable[..., Awaitable[Caller]]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/requests", tags=["requests"])
    asks = Annotated[Caller, Depends(caller)]

    @router.get("")
    def _list(
        by: asks,
        state: Annotated[RequestState | None, Query(description="Only those in this state.")] = None,
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List requests, oldest first; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        found = requests.list_requests(hub, by.tsp_id, state, after, limit + 1)
        return page(found, limit, lambda each: each.id, StoredRequest.document)

    @router.post("", status_code=201)
    def _submit(by: asks, body: NewRequest) -> Document:
        """Submit a request for review; the same one again is answered with the first."""
        hub = by.may(Action.REQUEST_SUBMIT, body.customer)
        stored = requests.submit_request(hub, body.customer, body.csr.encode(errors="replace"), "csr")
        return _document(hub, stored.id)

    @router.get("/{number}")
    def _show(by: asks, number: Number) -> Document:
        """Show a request with what the rules say about it."""
        return _document(_hub_of(by, Action.CUSTOMER_READ, number), number)

    @router.post("/{number}/approve")
    async def _approve(by: asks, number: Number) -> Document:
        """Approve a request, and issue its certificate, which is in the answer with its chain in PEM."""

        def work() -> Document:
            hub = _hub_of(by, Action.REQUEST_DECIDE, number)
            record = requests.approve_request(hub, number)
            return record.document(hub.now()) | {"chain": certificates.certificate_chain(hub, record)}

        return await by.change(work)

    @router.post("/{number}/refuse")
    def _refuse(by: asks, number: Number, body: Reason) -> Document:
        """Refuse a request."""
        hub = _hub_of(by, Action.REQUEST_DECIDE, number)
        requests.refuse_request(hub, number, body.reason)
        return _document(hub, number)

    @router.post("/{number}/withdraw")
    async def _withdraw(by: asks, number: Number, body: Reason) -> Document:
        """Withdraw an approval: no certificate of it stays usable."""

        def work() -> Document:
            hub = _hub_of(by, Action.REQUEST_DECIDE, number)
            certificates.withdraw_approval(hub, number, body.reason)
            return _document(hub, number)

        return await by.change(work)

    return router


def _hub_of(by: Caller, action: Action, number: int) -> Hub:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    stored, _ = requests.show_request(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(action, stored.tsp_id, absent(number))


def _document(hub: Hub, number: int) -> Document:
    stored, findings = requests.show_request(hub, number)
    return stored.document() | {"findings": [each.document() for each in findings]}
