"""What the hub decides about one customer: suspended or not, which services, and which chain vouches no more."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import NotFound
from bothways.operations.chains import show_chain, withdraw_chain
from bothways.operations.customers import resume_customer, suspend_customer
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
        hub = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id)
        await asyncio.to_thread(suspend_customer, hub, tsp_id, form.why())
        return redirect(f"/customers/{tsp_id}/home?done={await form.visitor.apply()}")

    @router.post("/resume")
    async def _resume(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id)
        await asyncio.to_thread(resume_customer, hub, tsp_id, form.reason)
        return redirect(f"/customers/{tsp_id}/home?done={await form.visitor.apply()}")

    @router.post("/chains/{number}/withdraw")
    async def _withdraw(form: sent, tsp_id: TspId, number: Number) -> Response:
        hub = form.visitor.may(Action.CHAIN_DECIDE, tsp_id)
        if show_chain(hub, number).tsp_id != tsp_id:
            raise NotFound(f"customer {tsp_id} has no chain {number}. Look at its page Trust.")
        await asyncio.to_thread(withdraw_chain, hub, number, form.why())
        return redirect(f"/customers/{tsp_id}/trust?done={await form.visitor.apply()}")

    @router.post("/services/{name}")
    async def _service(form: sent, tsp_id: TspId, name: str) -> Response:
        hub = form.visitor.may(Action.SERVICE_WRITE, tsp_id)
        if form.text("granted"):
            await asyncio.to_thread(grant_service, hub, name, tsp_id)
        else:
            await asyncio.to_thread(withdraw_service, hub, name, tsp_id, form.why())
        return redirect(f"/customers/{tsp_id}/services?done={await form.visitor.apply()}")

    return router
