"""The register of customers: look through it, find, and register a new one."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.errors import BothwaysError
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.register import page_register
from bothways.registry.access import Action
from bothways.registry.customer import CustomerKind
from bothways.store.register import Attention
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of

_SHOWN = 50


def register_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/customers")
    def _customers(
        visitor: who,
        find: Annotated[str, Query(max_length=64)] = "",
        kind: str = "",
        attention: str = "",
        after: Annotated[str, Query(max_length=32)] = "",
    ) -> Response:
        hub = visitor.may(Action.HUB_READ)
        return view.page("customers.html", **_page(hub, visitor, find, kind, attention, after))

    @router.post("/customers")
    async def _add(form: sent) -> Response:
        hub = form.visitor.may(Action.CUSTOMER_WRITE)
        tsp_id, organization = form.text("tsp_id").strip(), form.text("organization").strip()
        kind = CustomerKind(form.text("kind")) if form.text("kind") in [*CustomerKind] else CustomerKind.ISSUER
        try:
            await asyncio.to_thread(add_customer, hub, tsp_id, kind, organization)
        except BothwaysError as error:
            page = await asyncio.to_thread(_page, hub, form.visitor, "", "", "", "")
            return view.page("customers.html", status_of(error), **page, **told(error))
        return redirect(f"/customers/{tsp_id}/home?done=added")

    return router


def _page(hub: Hub, visitor: Visitor, find: str, kind: str, attention: str, after: str) -> dict[str, Any]:
    found = page_register(
        hub,
        find,
        CustomerKind(kind) if kind in [*CustomerKind] else None,
        Attention(attention) if attention in [*Attention] else None,
        after,
        _SHOWN + 1,
    )
    filters = {"find": find, "kind": kind, "attention": attention}
    chosen = {name: value for name, value in filters.items() if value}
    following = chosen | {"after": found[_SHOWN - 1].customer.tsp_id} if len(found) > _SHOWN else None
    return {
        "visitor": visitor,
        "place": "customers",
        "customers": found[:_SHOWN],
        "filters": filters,
        "after": after,
        "first_page": f"/customers?{urlencode(chosen)}",
        "next_page": f"/customers?{urlencode(following)}" if following else "",
        "may_write": visitor.can(Action.CUSTOMER_WRITE),
    }
