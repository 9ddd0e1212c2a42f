"""`/docs/`: the documentation as a running hub serves it, filled in with its contract, and with who has signed in."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from bothways.manual.filling import TSP_ID, Names
from bothways.manual.site import SEARCH, Site, media_type
from bothways.operations.hub import Hub
from bothways.web.pages.view import HEADERS
from bothways.web.pages.visitor import Gate

_DRAWING = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
"""Drawings have their styles, light and dark, within themselves; they come with no script, and none would run."""


def manual_router(hub: Hub, gate: Gate) -> APIRouter:
    """Return the routes, for everybody: what they fill in stands in the published contract."""
    router, terms = APIRouter(include_in_schema=False), hub.terms

    async def site(request: Request) -> Site:
        visitor = await gate.known(request)
        tsp_id = (visitor.tsp_id if visitor else None) or TSP_ID
        return Site(Names(terms.endpoint, terms.portal, terms.hub, tsp_id), terms.environment.value)

    @router.get("/docs")
    @router.get("/docs/")
    async def _first() -> Response:
        return RedirectResponse("/docs/index.html", HTTPStatus.TEMPORARY_REDIRECT)

    @router.get("/llms.txt")
    async def _llms() -> Response:
        return RedirectResponse("/docs/llms.txt", HTTPStatus.TEMPORARY_REDIRECT)

    @router.get(f"/docs/{SEARCH}")
    async def _search(request: Request, q: Annotated[str, Query(max_length=300)] = "") -> Response:
        return Response((await site(request)).found(q), media_type=media_type(SEARCH), headers=HEADERS)

    @router.get("/docs/{path:path}")
    async def _page(request: Request, path: str) -> Response:
        kind = media_type(path)
        headers = HEADERS | (_DRAWING if path.endswith(".svg") else {})
        return Response((await site(request)).content(path), media_type=kind, headers=headers)

    return router
