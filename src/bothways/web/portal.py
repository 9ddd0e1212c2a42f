"""The portal, put together: the contract and the revocation lists for everybody, EST, the API, and the pages."""

from collections.abc import Callable
from email.utils import format_datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Header, Path
from fastapi.responses import PlainTextResponse, Response

from bothways.contract.render import render_contract
from bothways.operations.hub import Hub, contract
from bothways.operations.revocation import current_list
from bothways.web import problem
from bothways.web.api.caller import Apply, Document, Running
from bothways.web.api.described import PREFIX
from bothways.web.api.router import api_routers, describe_api
from bothways.web.application import Application
from bothways.web.est import enroll_router, public_router
from bothways.web.explained import explained_router
from bothways.web.pages import failing
from bothways.web.pages.router import pages_routers
from bothways.web.pages.view import View

_LIST_SECONDS = 3600
"""How long a revocation list may be served from a cache."""

_HIGHEST = (1 << 31) - 1
"""The highest number that a CA can have."""


def portal_app(
    hub: Hub,
    apply: Apply,
    status: Callable[[], Document] | None = None,
    metrics: Callable[[Document], bytes] | None = None,
) -> Application:
    """Return the application; `apply` brings into force what was stored, the others tell how the hub fares."""
    app = Application(f"Bothways {hub.environment.value}")
    problem.install(app, hub.terms.portal)
    running, view = Running(apply, status, metrics), View(hub)
    app.take(public_router(hub), enroll_router(hub), *api_routers(hub, running), explained_router())
    app.take(*pages_routers(hub, running, view))
    describe_api(app)
    failing.install(app, view, PREFIX)

    @app.get("/contract.toml", response_class=PlainTextResponse)
    def _contract() -> PlainTextResponse:
        return PlainTextResponse(render_contract(contract(hub)), media_type="application/toml")

    @app.head("/crl/{authority}.crl", include_in_schema=False)
    @app.get("/crl/{authority}.crl", response_class=Response)
    def _revocation_list(
        authority: Annotated[int, Path(ge=1, le=_HIGHEST)], if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        found = current_list(hub, authority)
        tag = f'"{found.authority_id}-{found.number}"'
        headers = {
            "Cache-Control": f"public, max-age={_LIST_SECONDS}",
            "ETag": tag,
            "Last-Modified": format_datetime(found.this_update, usegmt=True),
        }
        if if_none_match and tag in (each.strip().removeprefix("W/") for each in if_none_match.split(",")):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        # RFC 2585 section 4.2; RFC 5280 section 4.2.1.13 wants DER.
        return Response(found.der, media_type="application/pkix-crl", headers=headers)

    return app
