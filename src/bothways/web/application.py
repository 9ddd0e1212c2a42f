"""An application whose every answer has its request's id, also in the audit, and a line in the log that names it.

Of a request the log has its method, the route (and no path: those of invitations are secrets), who asked, and when.
"""

import logging
import time
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from bothways.operations import request_id

HEADER = "x-request-id"
_UNEXPECTED = 500
_log = logging.getLogger(__name__)


def name_actor(request: Request, actor: str) -> None:
    """Say who asked, for the log."""
    request.state.actor = actor


class Application(FastAPI):
    """The framework's application, around which stands what is the same for every request.

    `behind` one of our own processes, which has given the request an id already, that one is taken. From others none
    is: an id never names two requests. The lines of `silent` ones are left out, for they are asked again and again.
    """

    def __init__(self, title: str, *, behind: bool = False, silent: bool = False, **more: Any) -> None:
        super().__init__(title=title, docs_url=None, redoc_url=None, **more)
        self._behind, self._silent = behind, silent

    def take(self, *routers: APIRouter) -> None:
        """Have the routes of each router as they are.

        `include_router` makes every one anew, at each level, for what a level adds. With nothing to add, that is most
        of the time in which a portal of 160 routes is made.
        """
        for each in routers:
            self.router.routes.extend(each.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Here, in no middleware: the answer to what nobody foresaw is made outside of those."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        given = Request(scope).headers.get(HEADER, "") if self._behind else ""
        own, status, started = request_id.begin(given), _UNEXPECTED, time.perf_counter()
        scope.setdefault("state", {})

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = own
            await send(message)

        try:
            await super().__call__(scope, receive, answer)
        finally:
            if not self._silent:
                self._tell(scope, status, 1000 * (time.perf_counter() - started))

    @staticmethod
    def _tell(scope: Scope, status: int, milliseconds: float) -> None:
        # The framework keeps the route with the prefixes of its routers there, if it has some.
        whole = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
        route = getattr(whole, "path", "")
        fields = {
            "method": scope["method"],
            "route": route or None,
            "status": status,
            "milliseconds": round(milliseconds, 1),
            "actor": scope["state"].get("actor"),
        }
        said = f"{scope['method']} {route or 'nothing that is there'} {status} in {milliseconds:.0f} ms"
        _log.info("%s", said, extra={"fields": fields})
