"""What is exchanged with a customer by hand: the bundle that goes out, what comes back, and the page to print."""

import asyncio
import base64
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from bothways.contract.render import render_contract
from bothways.errors import BothwaysError
from bothways.operations import bundles
from bothways.operations.bundles import Imported
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub, contract
from bothways.outbound.trial import require_taken
from bothways.pki.keys import sha256
from bothways.registry.access import Action
from bothways.web.pages.customer import TspId
from bothways.web.pages.instructions import enclosed, instructions, policy
from bothways.web.pages.trust import authorities
from bothways.web.pages.view import HEADERS, View
from bothways.web.pages.visitor import Form, Gate, Visitor, told
from bothways.web.problem import status_of

_SHOWN = 10


def bundles_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}/files", include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("")
    def _files(visitor: who, tsp_id: TspId) -> Response:
        return view.page("files.html", **_page(visitor, tsp_id))

    @router.get("/instructions.html")
    def _instructions(visitor: who, tsp_id: TspId) -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        allowed = {"Content-Security-Policy": f"{policy(hub.terms)}; frame-ancestors 'none'"}
        return HTMLResponse(instructions(hub, tsp_id), headers=HEADERS | allowed)

    @router.post("/export")
    async def _export(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id)

        def work() -> Response:
            made = bundles.export_bundle(hub, tsp_id, enclosed(hub, tsp_id))
            # The answer holds the zip itself: nothing is kept for a second request, which another process may get.
            link = f"data:application/zip;base64,{base64.b64encode(made.data).decode()}"
            return view.page("files.html", made=made, link=link, **_page(form.visitor, tsp_id))

        return await asyncio.to_thread(work)

    @router.post("/import")
    async def _import(form: sent, tsp_id: TspId) -> Response:
        hub, force = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id), bool(form.text("force"))

        def tried(whose: str, certificate: bytes) -> None:
            if not force:
                require_taken(hub, whose, certificate)

        def work() -> Imported:
            return bundles.import_bundle(hub, form.sent.file, "bundle", tried, tsp_id)

        try:
            taken = await asyncio.to_thread(work)
        except BothwaysError as error:
            page = await asyncio.to_thread(_page, form.visitor, tsp_id)
            return view.page("files.html", status_of(error), **page, **told(error))
        done = await form.visitor.apply() if taken.installed else ""
        return view.page("files.html", taken=taken, done=done, **await asyncio.to_thread(_page, form.visitor, tsp_id))

    return router


def _page(visitor: Visitor, tsp_id: str) -> dict[str, Any]:
    hub: Hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
    published = contract(hub)
    return {
        "visitor": visitor,
        "place": "files",
        "customer": show_customer(hub, tsp_id).customer,
        "handed_out": bundles.list_bundles(hub, tsp_id, _SHOWN),
        "contract_pin": sha256(render_contract(published).encode()),
        "bundle_pin": published.trust.bundle_pin,
        "client_cas": authorities(published.trust.client_ca),
        "server_cas": authorities(published.trust.server_ca),
        "may_exchange": visitor.can(Action.CUSTOMER_WRITE),
        "zip": f"hub-{tsp_id}-{hub.environment.value}.zip",
    }
