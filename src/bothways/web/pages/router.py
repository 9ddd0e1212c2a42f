"""All pages, put together."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bothways.operations.hub import Hub
from bothways.web.api.caller import Running
from bothways.web.pages.approving import Approvals
from bothways.web.pages.audit import audit_router
from bothways.web.pages.bundles import bundles_router
from bothways.web.pages.contacts import contacts_router
from bothways.web.pages.credentials import credentials_router
from bothways.web.pages.customer import customer_router
from bothways.web.pages.decisions import decisions_router
from bothways.web.pages.exchange import exchange_router
from bothways.web.pages.manual import manual_router
from bothways.web.pages.nodes import nodes_router
from bothways.web.pages.oidc import oidc_router
from bothways.web.pages.people import people_router
from bothways.web.pages.probing import Probes
from bothways.web.pages.register import register_router
from bothways.web.pages.reviews import reviews_router
from bothways.web.pages.signing_in import Desk, account_router, sign_in_router
from bothways.web.pages.standing import standing_router
from bothways.web.pages.tokens import tokens_router
from bothways.web.pages.trust import trust_router
from bothways.web.pages.view import View, static_router
from bothways.web.pages.visitor import Gate, redirect


def pages_routers(hub: Hub, running: Running, view: View) -> list[APIRouter]:
    """Return the routes, page by page; `running` brings into force what was stored, and tells how the hub fares."""
    router, gate = APIRouter(include_in_schema=False), Gate(hub, running.apply)
    desk = Desk(gate, view)

    @router.get("/")
    async def _first(request: Request) -> Response:
        if visitor := await gate.known(request):
            return redirect(visitor.start)
        return view.page("welcome.html")

    return [
        router,
        static_router(),
        sign_in_router(desk),
        oidc_router(desk),
        account_router(desk),
        customer_router(gate, view),
        exchange_router(gate, view),
        standing_router(gate),
        trust_router(gate, view, Probes()),
        reviews_router(gate, view),
        decisions_router(gate, view, Approvals()),
        register_router(gate, view),
        credentials_router(gate, view),
        bundles_router(gate, view),
        contacts_router(gate, view),
        people_router(gate, view),
        tokens_router(gate, view),
        nodes_router(gate, view, running),
        audit_router(gate, view),
        manual_router(hub, gate),
    ]
