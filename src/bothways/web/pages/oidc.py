"""The two ends of a sign-in at an OpenID provider: sending the browser away, and taking it back."""

import asyncio
import hmac
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from bothways.errors import NotAuthenticated
from bothways.operations.single_sign_on import CALLBACK, Asked, prove_by_provider, provider_address
from bothways.operations.under_way import Kind
from bothways.texts.catalogue import worded
from bothways.web.pages.challenges import LIFE, Challenges
from bothways.web.pages.signing_in import Desk, Next
from bothways.web.pages.visitor import own_path

_SEE_OTHER, _UNAUTHORIZED = 303, 401
_NOT_BEGUN = worded("this sign-in was not begun in this browser, or too long ago. Sign in again.")
_NOT_SIGNED_IN = worded("the OpenID provider did not sign you in. Try again, or ask your organization.")
Said = Annotated[str, Query(max_length=4096)]


def oidc_router(desk: Desk) -> APIRouter:
    """Return the routes; none if no provider is set."""
    router, hub = APIRouter(include_in_schema=False), desk.hub
    kept = Challenges[Asked](hub, Kind.SINGLE_SIGN_ON, asdict, lambda said: Asked(**said))
    cookie = f"{desk.gate.cookie}-oidc"
    if not hub.settings.oidc_issuer:
        return router

    @router.get("/sign-in/oidc")
    async def _away(path: Next = "/") -> Response:
        asked = Asked(own_path(path))
        state = await kept.keep(asked)
        address = await asyncio.to_thread(provider_address, hub, state, asked)
        answer = RedirectResponse(address, _SEE_OTHER, {"Cache-Control": "no-store"})
        # The browser that comes back has to be the one that was sent away: nobody is signed in as somebody else.
        age = int(LIFE.total_seconds())
        answer.set_cookie(cookie, state, age, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    async def _answered(request: Request, asked: Asked, code: str, issuer: str) -> Response:
        try:
            person = await desk.proved(request, prove_by_provider, asked, code, issuer)
        except NotAuthenticated as refused:
            return desk.page(_UNAUTHORIZED, refused=str(refused), next=asked.path)
        return await desk.begin(request, person, "OpenID provider", asked.path)

    @router.get(CALLBACK)
    async def _back(request: Request, state: Said = "", code: Said = "", iss: Said = "", error: Said = "") -> Response:
        mine = hmac.compare_digest(request.cookies.get(cookie, "").encode(), state.encode())
        asked = await kept.take(state) if state and mine else None
        if asked is None:
            answer = desk.page(_UNAUTHORIZED, refused=_NOT_BEGUN)
        elif error or not code:
            answer = desk.page(_UNAUTHORIZED, refused=_NOT_SIGNED_IN, next=asked.path)
        else:
            answer = await _answered(request, asked, code, iss)
        answer.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    return router
