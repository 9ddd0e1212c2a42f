"""Contacts: who is told what is about to end, of a customer and of the hub; the operator alone says whom."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import BothwaysError
from bothways.operations.contacts import add_contact, list_contacts, remove_contact
from bothways.operations.customers import show_customer
from bothways.operations.expiry import THRESHOLDS
from bothways.registry.access import Action
from bothways.registry.contact import ContactKind
from bothways.web.pages.customer import Done, Number, TspId
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of


def contacts_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/contacts")
    def _own(visitor: who, done: Done = "") -> Response:
        return view.page("contacts.html", done=done, **_page(visitor, None))

    @router.post("/contacts")
    async def _add_own(form: sent) -> Response:
        return await _added(view, form, None)

    @router.post("/contacts/{number}/remove")
    async def _remove_own(form: sent, number: Number) -> Response:
        return await _removed(form, None, number)

    @router.get("/customers/{tsp_id}/contacts")
    def _contacts(visitor: who, tsp_id: TspId, done: Done = "") -> Response:
        return view.page("contacts.html", done=done, **_page(visitor, tsp_id))

    @router.post("/customers/{tsp_id}/contacts")
    async def _add(form: sent, tsp_id: TspId) -> Response:
        return await _added(view, form, tsp_id)

    @router.post("/customers/{tsp_id}/contacts/{number}/remove")
    async def _remove(form: sent, tsp_id: TspId, number: Number) -> Response:
        return await _removed(form, tsp_id, number)

    return router


def _place(tsp_id: str | None) -> str:
    return f"/customers/{tsp_id}/contacts" if tsp_id else "/contacts"


def _write(tsp_id: str | None) -> Action:
    return Action.CUSTOMER_WRITE if tsp_id else Action.HUB_WRITE


async def _added(view: View, form: Form, tsp_id: str | None) -> Response:
    hub = form.visitor.may(_write(tsp_id), tsp_id)
    kind = ContactKind.WEBHOOK if form.text("kind") == ContactKind.WEBHOOK else ContactKind.EMAIL

    def work() -> Response:
        added = add_contact(hub, tsp_id, kind, form.text("address").strip())
        if not added.secret:
            return redirect(f"{_place(tsp_id)}?done=added")
        return view.page("contacts.html", added=added, **_page(form.visitor, tsp_id))

    try:
        return await asyncio.to_thread(work)
    except BothwaysError as error:
        page = await asyncio.to_thread(_page, form.visitor, tsp_id)
        return view.page("contacts.html", status_of(error), address=form.text("address"), **page, **told(error))


async def _removed(form: Form, tsp_id: str | None, number: int) -> Response:
    hub = form.visitor.may(_write(tsp_id), tsp_id)
    await asyncio.to_thread(remove_contact, hub, tsp_id, number, form.why())
    return redirect(f"{_place(tsp_id)}?done=removed")


def _page(visitor: Visitor, tsp_id: str | None) -> dict[str, Any]:
    hub = visitor.may(Action.CUSTOMER_READ if tsp_id else Action.HUB_READ, tsp_id)
    whose = {"customer": show_customer(hub, tsp_id).customer} if tsp_id else {}
    return whose | {
        "visitor": visitor,
        "place": "contacts" if tsp_id else "hub-contacts",
        "whose": tsp_id,
        "at": _place(tsp_id),
        "contacts": list_contacts(hub, tsp_id),
        "days": ", ".join(str(each) for each in THRESHOLDS),
        "mail": bool(hub.settings.smtp_host),
        "may_write": visitor.can(_write(tsp_id)),
    }
