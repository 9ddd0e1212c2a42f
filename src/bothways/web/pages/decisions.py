"""Decisions about what waits for review: approve, endorse, refuse; one by one, or many requests at once."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import BothwaysError, NotFound, Proposed
from bothways.operations import chains, endpoints, requests
from bothways.operations.hub import Hub
from bothways.registry.access import Action
from bothways.web.pages.approving import Approvals
from bothways.web.pages.customer import Number
from bothways.web.pages.reviews import DECIDE, Kind, review_page
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of

_REFUSE: dict[str, Callable[[Hub, int, str], Any]] = {
    "requests": requests.refuse_request,
    "chains": chains.refuse_chain,
    "endpoints": endpoints.refuse_endpoint,
}


def decisions_router(gate: Gate, view: View, approvals: Approvals) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.post("/reviews/{kind}/{number}/approve")
    async def _approve(form: sent, kind: Kind, number: Number) -> Response:
        hub = form.visitor.may(DECIDE[kind])
        if refused := await _attempt(view, form.visitor, kind, number, lambda: _approved(hub, kind, number, form)):
            return refused
        return redirect(f"/reviews?done={await form.visitor.apply()}")

    @router.post("/reviews/{kind}/{number}/refuse")
    async def _refuse(form: sent, kind: Kind, number: Number) -> Response:
        hub, reason = form.visitor.may(DECIDE[kind]), form.why()
        if refused := await _attempt(view, form.visitor, kind, number, lambda: _REFUSE[kind](hub, number, reason)):
            return refused
        return redirect("/reviews?done=refused")

    @router.post("/approvals")
    async def _approve_many(form: sent) -> Response:
        hub = form.visitor.may(Action.REQUEST_DECIDE)
        every = form.text("which") == "all"
        chosen = [int(each) for each in form.sent.texts("number") if each.isdecimal()]
        numbers = await asyncio.to_thread(requests.waiting_requests, hub) if every else tuple(chosen)
        if not numbers:
            return redirect("/reviews")
        # What nobody looked at one by one is approved only if the rules have nothing to say about it at all.
        return redirect(f"/approvals/{await approvals.begin(hub, numbers, form.visitor.apply, strict=every)}")

    @router.get("/approvals/{name}")
    def _approvals(visitor: who, name: str) -> Response:
        hub = visitor.may(Action.HUB_READ)
        return view.page("approvals.html", visitor=visitor, place="reviews", job=approvals.find(hub, name))

    return router


def _approved(hub: Hub, kind: str, number: int, form: Form) -> None:
    if kind == "requests":
        requests.approve_request(hub, number)
    elif kind == "chains":
        pins = form.text("pins").lower().split()
        chains.endorse_chain(hub, number, public_root=form.text("public_root") == "yes", pins=pins)
    else:
        endpoints.approve_endpoint(hub, number)


async def _attempt(view: View, visitor: Visitor, kind: str, number: int, work: Callable[[], Any]) -> Response | None:
    """Do the work; return the page of the review with what stands against it, if something does.

    What waits for a second person from now on leads back to the queue, which says so.
    """
    try:
        await asyncio.to_thread(work)
    except Proposed:
        return redirect("/reviews?done=proposed")
    except NotFound:
        raise
    except BothwaysError as error:
        shown, page = told(error), await asyncio.to_thread(review_page, visitor, kind, number)
        more = {"refused": shown["refused"], "refusals": shown["findings"]}
        return view.page("review.html", status_of(error), **page, **more)
    return None
