"""People and their invitations: of everybody for the hub's operators, of their own customer for its administrators."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from bothways.errors import BothwaysError, Conflict, NotFound, Proposed
from bothways.operations.accounts import invite_person, signing_in
from bothways.operations.hub import Hub
from bothways.operations.people import add_person, disable_person, list_people, show_person
from bothways.operations.second_person import confirm_person, refuse_person
from bothways.registry.access import Action, Role
from bothways.registry.person import Person
from bothways.store.people import absent
from bothways.web.pages.customer import Done, Number
from bothways.web.pages.reviews import queue_page
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of

_SHOWN = 50


def people_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/people")
    def _people(visitor: who, done: Done = "", after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
        hub = visitor.may(Action.PERSON_WRITE if visitor.tsp_id else Action.HUB_READ, visitor.tsp_id)
        return view.page("people.html", done=done, **_page(hub, visitor, after))

    @router.post("/people")
    async def _add(form: sent) -> Response:
        visitor, role = form.visitor, form.text("role")
        # An administrator's people are of the same customer, whatever the form says.
        tsp_id = visitor.tsp_id or form.text("tsp_id").strip() or None
        hub = visitor.may(Action.PERSON_WRITE, tsp_id)
        wanted = next((each for each in visitor.roles if each.value == role), Role.CUSTOMER_MEMBER)

        def work() -> Response:
            added = _added(hub, form.text("email").strip(), form.text("name"), wanted, tsp_id)
            return _invited(view, hub, visitor, added)

        try:
            return await asyncio.to_thread(work)
        except BothwaysError as error:
            page = await asyncio.to_thread(_page, hub, visitor, 0)
            return view.page("people.html", status_of(error), **page, **told(error))

    @router.post("/people/{number}/invite")
    async def _invite(form: sent, number: Number) -> Response:
        def work() -> Response:
            hub, person = _own(form.visitor, number)
            return _invited(view, hub, form.visitor, person)

        return await asyncio.to_thread(work)

    @router.post("/people/{number}/disable")
    async def _disable(form: sent, number: Number) -> Response:
        def work() -> None:
            hub, person = _own(form.visitor, number)
            if person.email == form.visitor.email:
                raise Conflict("nobody disables themselves. Ask another person who may.")
            disable_person(hub, number, form.why())

        await asyncio.to_thread(work)
        return redirect("/people?done=disabled")

    _confirming(router, gate, view)
    return router


def _confirming(router: APIRouter, gate: Gate, view: View) -> None:
    sent = Annotated[Form, Depends(gate.posted)]

    @router.post("/people/{number}/confirm")
    async def _confirm(form: sent, number: Number) -> Response:
        hub = form.visitor.may(Action.PERSON_DECIDE)

        def work() -> Response:
            try:
                person, code = confirm_person(hub, number)
            except NotFound:
                raise
            except BothwaysError as error:
                return view.page("reviews.html", status_of(error), **queue_page(form.visitor), refused=error.said)
            if code is None:
                return redirect("/reviews?done=confirmed")
            return view.page("people.html", **_page(hub, form.visitor, 0), confirmed=person, second_code=code)

        return await asyncio.to_thread(work)

    @router.post("/people/{number}/refuse")
    async def _refuse(form: sent, number: Number) -> Response:
        hub = form.visitor.may(Action.PERSON_DECIDE)
        await asyncio.to_thread(refuse_person, hub, number, form.why())
        return redirect("/reviews?done=person-refused")


def _added(hub: Hub, email: str, name: str, role: Role, tsp_id: str | None) -> Person:
    try:
        return add_person(hub, email, name, role, tsp_id)
    except Proposed as proposed:
        # An invitation is made all the same: one confirmation is for both.
        return show_person(hub, proposed.number)


def _invited(view: View, hub: Hub, visitor: Visitor, person: Person) -> Response:
    if not hub.settings.local_accounts:
        return redirect(f"/people?done={'proposed' if person.proposed_by else 'added'}")
    person, token, end = invite_person(hub, person.id)
    link = f"{hub.terms.portal}/invitation/{token}"
    return view.page("people.html", **_page(hub, visitor, 0), invited=person, link=link, ends=end)


def _own(visitor: Visitor, number: int) -> tuple[Hub, Person]:
    """Return a person whom the visitor looks after. Raises `NotFound` for another customer's, or the hub's own."""
    hub = visitor.may(Action.PERSON_WRITE, visitor.tsp_id)
    person = show_person(hub, number)
    if visitor.tsp_id is not None and person.tsp_id != visitor.tsp_id:
        raise absent(number)
    return hub, person


def _page(hub: Hub, visitor: Visitor, after: int) -> dict[str, Any]:
    found = list_people(hub, visitor.tsp_id, after, _SHOWN + 1)
    have = signing_in(hub, [each.id for each in found])
    return {
        "visitor": visitor,
        "place": "people",
        "people": [{"person": each, "signs_in": each.id in have} for each in found[:_SHOWN]],
        "next": found[_SHOWN - 1].id if len(found) > _SHOWN else None,
        "roles": visitor.roles,
        "local": hub.settings.local_accounts,
        "may_write": visitor.can(Action.PERSON_WRITE),
    }
