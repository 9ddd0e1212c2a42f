"""Customers in the API: list, add, show, observations, suspend, resume, remove."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from bothways.connectivity.observation import Observation
from bothways.operations import customers, observations
from bothways.registry.access import Action
from bothways.registry.customer import CustomerKind
from bothways.web.api.caller import Caller, Document
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page


class NewCustomer(BaseModel):
    """What a customer is registered with."""

    model_config = ConfigDict(extra="forbid")

    customer: str
    kind: CustomerKind
    organization: str


def customers_router(caller: Callable[..., Awaitable[Caller]]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers", tags=["customers"])
    asks = Annotated[Caller, Depends(caller)]

    @router.get("")
    def _list(
        by: asks,
        after: Annotated[str, Query(max_length=32, description="`next` of the page before.")] = "",
        limit: Limit = LIMIT,
    ) -> Document:
        """List customers by tspId, with the state of their flows; a customer sees itself."""
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        if by.tsp_id is not None:
            return {"items": [customers.show_customer(hub, by.tsp_id).document()], "next": None}
        views = customers.page_customers(hub, after, limit + 1)
        return page(views, limit, lambda each: each.customer.tsp_id, customers.CustomerView.document)

    @router.post("", status_code=201)
    def _add(by: asks, body: NewCustomer) -> Document:
        """Register a customer under its tspId."""
        hub = by.may(Action.CUSTOMER_WRITE)
        customers.add_customer(hub, body.customer, body.kind, body.organization)
        return customers.show_customer(hub, body.customer).document()

    @router.get("/{tsp_id}")
    def _show(by: asks, tsp_id: str) -> Document:
        """Show a customer: each flow with its checklist."""
        return customers.show_customer(by.may(Action.CUSTOMER_READ, tsp_id), tsp_id).document()

    @router.get("/{tsp_id}/observations")
    def _observations(by: asks, tsp_id: str, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List why calls of a customer to the endpoint failed, the last one first, each with its repair."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        found = observations.list_observations(hub, tsp_id, after=after, limit=limit + 1)
        return page(found, limit, lambda each: each.id, Observation.document)

    @router.post("/{tsp_id}/suspend")
    async def _suspend(by: asks, tsp_id: str) -> Document:
        """Let nothing through in either direction."""
        return await _suspended(by, tsp_id, suspended=True)

    @router.post("/{tsp_id}/resume")
    async def _resume(by: asks, tsp_id: str) -> Document:
        """Resume a suspended customer."""
        return await _suspended(by, tsp_id, suspended=False)

    @router.delete("/{tsp_id}")
    async def _remove(by: asks, tsp_id: str) -> Document:
        """Remove a customer for good: certificates revoked, chains, services and endpoint withdrawn."""

        def work() -> Document:
            customers.remove_customer(by.may(Action.CUSTOMER_WRITE, tsp_id), tsp_id)
            return {"customer": tsp_id, "removed": True}

        return await by.change(work)

    return router


async def _suspended(by: Caller, tsp_id: str, *, suspended: bool) -> Document:
    def work() -> Document:
        hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
        customers.suspend_customer(hub, tsp_id, suspended=suspended)
        return customers.show_customer(hub, tsp_id).document()

    return await by.change(work)
