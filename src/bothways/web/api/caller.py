"""Who asks, by bearer token (RFC 6750); what they may do is decided here, for every operation of the API."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bothways.dataplane.publisher import Applied
from bothways.errors import NotAuthenticated, NotAuthorized, NotFound
from bothways.operations.hub import Hub
from bothways.operations.tokens import authenticate
from bothways.registry.access import Action, Principal, require
from bothways.web.failures import Failures

Apply = Callable[[], Awaitable[Applied]]
Document = dict[str, Any]

_TOO_MANY = 429
_bearer = HTTPBearer(auto_error=False, description="A token of `bothways token add`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Caller:
    """Who asks, and the one way from the API to the hub: through `may`, which asks role, scopes and customer."""

    def __init__(self, hub: Hub, principal: Principal, apply: Apply) -> None:
        self._hub = replace(hub, actor=principal.name)
        self._principal = principal
        self._apply = apply

    @property
    def tsp_id(self) -> str | None:
        """The customer whose things alone the caller sees, or None if it sees those of all."""
        return self._principal.tsp_id

    def may(self, action: Action, tsp_id: str | None = None) -> Hub:
        """Return the hub, in the caller's name. Raises `NotFound`, `NotAuthorized` as `require` does."""
        require(self._principal, action, tsp_id)
        return self._hub

    def may_with(self, action: Action, owner: str, absent: NotFound) -> Hub:
        """Return the hub as `may` does, for a thing of `owner`. Raises `absent` for another customer's."""
        if self.tsp_id not in {None, owner}:
            raise absent
        return self.may(action, owner)

    async def change(self, work: Callable[[], Document]) -> Document:
        """Do the work in a thread, bring it into force, and say in the document whether it is (`in_force`)."""
        document = await asyncio.to_thread(work)
        return document | {"in_force": (await self._apply()).in_force}


def callers(hub: Hub, apply: Apply) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency of every route. It raises `NotAuthenticated`, and answers 429 after ten wrong tokens."""
    failures = Failures()

    async def caller(request: Request, credentials: Credentials) -> Caller:
        source = (request.client.host if request.client else "", "")
        if failures.too_many(source, hub.now()):
            raise HTTPException(_TOO_MANY, headers={"Retry-After": "60"})
        if credentials is None:
            raise NotAuthenticated("no token was sent. Send one as `Authorization: Bearer TOKEN`.")
        try:
            principal = await asyncio.to_thread(authenticate, hub, credentials.credentials)
        except NotAuthorized as error:
            failures.add(source, hub.now())
            raise NotAuthenticated(str(error)) from error
        return Caller(hub, principal, apply)

    return caller
