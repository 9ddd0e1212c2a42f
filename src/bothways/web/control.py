"""The control socket: how the command line asks a running hub for its state, and tells it that something changed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bothways.dataplane.applied import Applied
from bothways.web import problem
from bothways.web.application import Application


def control_app(
    status: Callable[[], dict[str, Any]],
    apply: Callable[[], Awaitable[Applied]],
    metrics: Callable[[dict[str, Any]], bytes],
    send_for_probe: Callable[[str], Awaitable[bool]],
) -> FastAPI:
    """Return the application; the socket's mode is what protects it. `metrics` is given the status.

    `send_for_probe` has the nodes know a customer's server for a probe, and returns whether there is one.
    """
    app = Application("Bothways control", behind=True, silent=True, openapi_url=None)
    problem.install(app, at_host=True)

    @app.get("/status")
    async def _status() -> dict[str, Any]:
        return status()

    @app.get("/metrics")
    async def _metrics() -> Response:
        # The status belongs to the event loop; what is read from the database does not hold it up.
        return Response(await asyncio.to_thread(metrics, status()), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.post("/apply")
    async def _apply() -> dict[str, Any]:
        return (await apply()).document()

    @app.post("/probes/{tsp_id}")
    async def _probes(tsp_id: str) -> dict[str, Any]:
        return {"sent": await send_for_probe(tsp_id)}

    return app
