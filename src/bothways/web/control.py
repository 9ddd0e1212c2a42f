"""The control socket: how the command line asks a running hub for its state, and tells it that something changed."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bothways.dataplane.publisher import Applied
from bothways.web import problem


def control_app(
    status: Callable[[], dict[str, Any]], apply: Callable[[], Awaitable[Applied]], metrics: Callable[[], bytes]
) -> FastAPI:
    """Return the application; the socket's mode is what protects it."""
    app = FastAPI(title="Bothways control", openapi_url=None, docs_url=None, redoc_url=None)
    problem.install(app)

    @app.get("/status")
    async def _status() -> dict[str, Any]:
        return status()

    @app.get("/metrics")
    def _metrics() -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    @app.post("/apply")
    async def _apply() -> dict[str, Any]:
        return (await apply()).document()

    return app
