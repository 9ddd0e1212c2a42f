"""What the hub decides about one customer: suspended or not, which services, and which chain vouches no more."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import NotFound
from bothways.operations.chains import show_chain, withdraw_chain
from bothways.operations.customers import suspend_customer
from bothways.operations.services import grant_service, withdraw_service
from bothways.registry.access import Action
from bothways.web.pages.customer import Number, TspId
from bothways.web.pages.visitor import Form, Gate, redirect


def standing_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}", include_in_schema=False)
    sent = Annotated[Form, Depends(gate.posted)]

    @router.post("/suspend")
    async def _suspend(form: sent, tsp_id: TspId) -> Response:
        return await _suspended(form, tsp_id, suspended=True)

    @router.post("/resume")
    async def _resume(form: sent, tsp_id: TspId) -> Response:
        return await _suspended(form, tsp_id, suspended=False)

    @router.post("/chains/{number}/withdraw")
    async def _withdraw(form: sent, tsp_id: TspId, number: Number) -> Response:
        hub, reason = form.visitor.may(Action.CHAIN_DECIDE, tsp_id), " ".join(form.text("reason").split())[:1000]
        if show_chain(hub, number).tsp_id != tsp_id:
            raise NotFound(f"customer {tsp_id} has no chain {number}. Look at its page Trust.")
        if not reason:
            return redirect(f"/customers/{tsp_id}/trust")
        await asyncio.to_thread(withdraw_chain, hub, number, reason)
        return redirect(f"/customers/{tsp_id}/trust?done={await form.visitor.apply()}")

    @router.post("/services/{name}")
    async def _service(form: sent, tsp_id: TspId, name: str) -> Response:
        hub = form.visitor.may(Action.SERVICE_WRITE, tsp_id)
        await asyncio.to_thread(grant_service if form.text("granted") else withdraw_service, hub, name, tsp_id)
        return redirect(f"/customers/{tsp_id}/services?done={await form.visitor.apply()}")

    return router


async def _suspended(form: Form, tsp_id: str, *, suspended: bool) -> Response:
    hub = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id)
    await asyncio.to_thread(suspend_customer, hub, tsp_id, suspended=suspended)
    return redirect(f"/customers/{tsp_id}/home?done={await form.visitor.apply()}")
