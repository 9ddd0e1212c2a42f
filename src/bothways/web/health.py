"""`/healthz` and `/readyz`, for whoever starts hubs again and sends them callers: beside the metrics, without sign-in.

Healthy is a hub that answers at all. Ready is one that can do its work; a problem of a customer, a node or another part
of the fleet makes it no less ready, or one broken node would take every hub out.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text

from bothways.errors import BothwaysError
from bothways.operations.hub import Hub

_UNREADY = 503


def health_router(
    hub: Hub, envoy: Callable[[], dict[str, Any]], serving: asyncio.Event, ending: asyncio.Event
) -> APIRouter:
    """Return the routes; `envoy` tells its state, the others are set once the hub serves, and once it ends."""
    router = APIRouter()

    @router.get("/healthz")
    async def _healthz() -> dict[str, bool]:
        return {"healthy": True}

    @router.get("/readyz")
    async def _readyz(response: Response) -> dict[str, Any]:
        missing = []
        if ending.is_set():
            missing.append("the hub is ending")
        elif not serving.is_set():
            missing.append("the hub is starting")
        if envoy()["pid"] is None:
            missing.append("no Envoy runs on this machine")
        if failed := await asyncio.to_thread(_database, hub):
            missing.append(failed)
        response.status_code = _UNREADY if missing else response.status_code
        return {"ready": not missing, "missing": missing}

    return router


def _database(hub: Hub) -> str:
    try:
        with hub.read() as connection:
            connection.execute(text("SELECT 1"))
    except BothwaysError as error:
        return str(error)
    return ""
