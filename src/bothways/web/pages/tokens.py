"""API tokens: of the whole hub for its operators, of their own customer for its administrators; each shown once."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.errors import BothwaysError
from bothways.operations.hub import Hub
from bothways.operations.tokens import DAYS, DAYS_MOST, create_token, page_tokens, revoke_token, show_token
from bothways.registry.access import Action
from bothways.store.tokens import absent
from bothways.web.pages.customer import Done, Number
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of

_SHOWN = 50


def tokens_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/tokens")
    def _tokens(visitor: who, done: Done = "", before: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
        return view.page("tokens.html", done=done, **_page(visitor, before))

    @router.post("/tokens")
    async def _add(form: sent) -> Response:
        visitor = form.visitor
        # An administrator's tokens are of the same customer, whatever the form says.
        tsp_id = visitor.tsp_id or form.text("tsp_id").strip() or None
        hub = visitor.may(Action.TOKEN_WRITE, tsp_id)
        role = next((each for each in visitor.roles if each.value == form.text("role")), visitor.roles[-1])
        scopes = [each for each in Action if each.value in form.sent.texts("scope")] or None

        def work() -> Response:
            limited = visitor.require_within(role, scopes)
            days = int(form.text("days")) if form.text("days").isdecimal() else 0
            record, secret = create_token(hub, form.text("name").strip(), role, tsp_id, limited, days, visitor.email)
            return view.page("tokens.html", made=record, secret=secret, **_page(visitor, 0))

        try:
            return await asyncio.to_thread(work)
        except BothwaysError as error:
            page = await asyncio.to_thread(_page, visitor, 0)
            return view.page("tokens.html", status_of(error), **page, **told(error))

    @router.post("/tokens/{number}/revoke")
    async def _revoke(form: sent, number: Number) -> Response:
        def work() -> None:
            hub = form.visitor.may(Action.TOKEN_WRITE, form.visitor.tsp_id)
            if form.visitor.tsp_id not in {None, show_token(hub, number).tsp_id}:
                raise absent(number)
            revoke_token(hub, number, form.why())

        await asyncio.to_thread(work)
        return redirect("/tokens?done=revoked")

    return router


def _page(visitor: Visitor, before: int) -> dict[str, Any]:
    hub: Hub = visitor.may(Action.TOKEN_WRITE, visitor.tsp_id)
    found = page_tokens(hub, visitor.tsp_id, before, _SHOWN + 1)
    return {
        "visitor": visitor,
        "place": "tokens",
        "tokens": [{"token": each, "state": each.document(hub.now())["state"]} for each in found[:_SHOWN]],
        "next": found[_SHOWN - 1].id if len(found) > _SHOWN else None,
        "roles": visitor.roles,
        "scopes": sorted(each.value for each in visitor.person.principal.actions),
        "days": DAYS,
        "days_most": DAYS_MOST,
    }
