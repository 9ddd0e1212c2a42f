"""The one gate of the API: who asks, how often, and whether it was asked before; ahead of every operation."""

import asyncio
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from bothways.errors import NotAuthenticated, NotAuthorized, Proposed
from bothways.operations import idempotency
from bothways.operations.hub import Hub
from bothways.operations.tokens import authenticate
from bothways.registry.access import Principal
from bothways.web import problem
from bothways.web.api.caller import Caller, Running, bearer
from bothways.web.api.described import DESCRIBED, PREFIX
from bothways.web.api.location import LOCATED, location
from bothways.web.application import name_actor
from bothways.web.failures import Failures
from bothways.web.limits import Limits
from bothways.web.problem import Told

KEY_MOST = 255
"""Characters of an idempotency key."""
SHOWN_ONCE = {"x-shown-once": True}
"""`openapi_extra` of an operation whose answer holds a secret."""
BURST, PER_SECOND = 300, 20.0
_CHANGING = {"POST", "PUT", "DELETE"}
BODY_MOST, AUDIT_MOST = 2 << 20, 16 << 20
"""Bytes of a body: the longest is a file with keys, and of the audit a piece of an export, both escaped as JSON."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Identify = Callable[[Request], Awaitable[Principal]]


class Gate:
    """Lets requests through to the operations. `identify` says who asks; otherwise the bearer token does (RFC 6750)."""

    def __init__(self, hub: Hub, running: Running, identify: Identify | None = None) -> None:
        self.hub, self._running = hub, running
        self._identify = identify or self._by_token
        self._failures, self._limits = Failures(), Limits(BURST, PER_SECOND)

    def router(self, noun: str, prefix: str = "") -> APIRouter:
        """Return a router for the operations on a noun, all behind this gate; `prefix` is what follows `/api/v1`."""
        gate, most = self, AUDIT_MOST if noun == "audit" else BODY_MOST

        class _Route(APIRoute):
            def get_route_handler(self) -> Handler:
                inner = super().get_route_handler()
                secret = self.openapi_extra is not None and SHOWN_ONCE.items() <= self.openapi_extra.items()

                async def told(request: Request) -> Response:
                    # An answer, as to an Idempotency-Key: what was proposed is not proposed again.
                    try:
                        return await inner(request)
                    except Proposed as proposed:
                        return problem.accepted(proposed)

                async def handle(request: Request) -> Response:
                    return _located(request, await gate.pass_through(request, told, most, secret=secret))

                return handle

        return APIRouter(prefix=PREFIX + (prefix or f"/{noun}"), tags=[noun], route_class=_Route, responses=DESCRIBED)

    async def pass_through(self, request: Request, inner: Handler, most: int, *, secret: bool) -> Response:
        """Do what was asked. Raises `NotAuthenticated`, 429 for who asks too often, 413 for more bytes than `most`."""
        principal = await self._identify(request)
        # All tokens of a customer together: more tokens are not more of the hub.
        self._count(principal.tsp_id or principal.name)
        request.state.caller = Caller(self.hub, principal, self._running)
        name_actor(request, principal.name)
        request = await _whole(request, most)
        key = request.headers.get("idempotency-key")
        if key is None or request.method not in _CHANGING:
            return await inner(request)
        return await self._once(request, inner, principal, key, secret=secret)

    def _count(self, who: str) -> None:
        if seconds := self._limits.wait(who, self.hub.now()):
            raise Told(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"more than {PER_SECOND:.0f} requests a second came from {who}. Send it again after a while.",
                {"Retry-After": str(math.ceil(seconds))},
            )

    async def _by_token(self, request: Request) -> Principal:
        source = (request.client.host if request.client else "", "")
        if self._failures.too_many(source, self.hub.now()):
            said = "too many wrong tokens came from this address. Send the right one after a minute."
            raise Told(HTTPStatus.TOO_MANY_REQUESTS, said, {"Retry-After": "60"})
        credentials = await bearer(request)
        if credentials is None:
            raise NotAuthenticated("no token was sent. Send one as `Authorization: Bearer TOKEN`.")
        try:
            return await asyncio.to_thread(authenticate, self.hub, credentials.credentials)
        except NotAuthorized as error:
            self._failures.add(source, self.hub.now())
            raise NotAuthenticated(str(error)) from error

    async def _once(
        self, request: Request, inner: Handler, principal: Principal, key: str, *, secret: bool
    ) -> Response:
        if not (0 < len(key) <= KEY_MOST and key.isascii() and key.isprintable() and " " not in key):
            said = f"an Idempotency-Key has 1 to {KEY_MOST} printable ASCII characters, and no spaces."
            raise Told(HTTPStatus.BAD_REQUEST, said)
        hub = replace(self.hub, actor=principal.name)
        asked = f"{request.method} {request.url.path}?{request.url.query} {request.headers.get('if-match')}\n"
        digest = hashlib.sha256(asked.encode() + await request.body()).hexdigest()
        if known := await asyncio.to_thread(idempotency.begin, hub, key, digest):
            status, answer = known.status or HTTPStatus.OK, json.loads(known.answer or "{}")
            return JSONResponse(answer, status, {"Idempotency-Replayed": "true"})
        try:
            response = await inner(request)
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(self._failed, hub, key, error))
            raise
        body = None if secret else bytes(response.body).decode()
        await asyncio.to_thread(idempotency.finish, hub, key, response.status_code, body)
        return response

    @staticmethod
    def _failed(hub: Hub, key: str, error: BaseException) -> None:
        # Of what failed unexpectedly nobody knows what was done: the key stays taken.
        if problem.is_foreseen(error):
            idempotency.give_up(hub, key)


def _located(request: Request, response: Response) -> Response:
    """Return the answer, after naming in the header `Location` where what was made is shown."""
    if response.status_code == HTTPStatus.CREATED and (path := request.url.path.removeprefix(PREFIX)) in LOCATED:
        response.headers["Location"] = f"{PREFIX}{location(path, json.loads(bytes(response.body)))}"
    return response


async def _whole(request: Request, most: int) -> Request:
    """Return the request with its body read, before anything makes more of it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            said = f"more than {most >> 20} MiB were sent. Send less at a time."
            raise Told(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, {"Connection": "close"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, receive)
