"""Who asks, and what they may do: decided here, for every operation of the API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bothways.dataplane.applied import Applied
from bothways.errors import NotAuthorized, NotFound
from bothways.operations.hub import Hub
from bothways.registry.access import Action, Principal, Role, actions_of, require

Apply = Callable[[], Awaitable[Applied]]
Document = dict[str, Any]

bearer = HTTPBearer(
    auto_error=False, description="An API token of this hub: made on the page API tokens of its portal."
)


@dataclass(frozen=True, slots=True)
class Running:
    """What the API asks of the running hub: to bring into force what was stored, how it fares, and its metrics.

    `status` and `metrics` are None where no hub runs.
    """

    apply: Apply
    status: Callable[[], Document] | None = None
    metrics: Callable[[Document], bytes] | None = None


class Caller:
    """Who asks, and the one way from the API to the hub: through `may`, which asks role, scopes and customer."""

    def __init__(self, hub: Hub, principal: Principal, running: Running) -> None:
        self._hub = replace(hub, actor=principal.name)
        self.principal = principal
        self.running = running

    @property
    def tsp_id(self) -> str | None:
        """The customer whose things alone the caller sees, or None if it sees those of all."""
        return self.principal.tsp_id

    def may(self, action: Action, tsp_id: str | None = None) -> Hub:
        """Return the hub, in the caller's name. Raises `NotFound`, `NotAuthorized` as `require` does."""
        require(self.principal, action, tsp_id)
        return self._hub

    def may_with(self, action: Action, owner: str | None, absent: NotFound) -> Hub:
        """Return the hub as `may` does, for a thing of `owner`. Raises `absent` for what is not the caller's own."""
        if self.tsp_id not in {None, owner}:
            raise absent
        return self.may(action, owner)

    def require_within(self, role: Role, scopes: Iterable[Action] | None = None) -> frozenset[Action] | None:
        """Return what a token or person that the caller makes is limited to: never beyond what the caller may do.

        Raises `NotAuthorized` if the role, or what is asked for of it, goes further.
        """
        wanted = actions_of(role) if scopes is None else frozenset(scopes)
        own = self.principal.actions
        if not wanted <= own:
            beyond = ", ".join(sorted(wanted - own))
            raise NotAuthorized(
                f"{beyond} is beyond what {self.principal.name} may do, who can give nobody more than that. "
                "Leave it out, or ask somebody who may."
            )
        return None if scopes is None else wanted

    async def change(self, work: Callable[[], Document]) -> Document:
        """Do the work in a thread, bring it into force, and say in the document whether it is (`in_force`).

        Beside it stand the nodes that are `away`, if there are any, and go on with what they have.
        """
        document = await asyncio.to_thread(work)
        applied = await self.running.apply()
        away = {"away": list(applied.away)} if applied.away else {}
        return document | {"in_force": applied.in_force} | away


async def _caller(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
    # The gate has put it there, before anything of the request was looked at.
    caller: Caller = request.state.caller
    return caller


Asks = Annotated[Caller, Depends(_caller)]
"""What every operation takes first."""
