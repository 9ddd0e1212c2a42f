"""The control socket: how the command line asks a running hub for its state, and tells it that something changed."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI

from bothways.dataplane.publisher import Applied
from bothways.web import problem


def control_app(status: Callable[[], dict[str, Any]], apply: Callable[[], Awaitable[Applied]]) -> FastAPI:
    """Return the application; the socket's mode is what protects it."""
    app = FastAPI(title="Bothways control", openapi_url=None, docs_url=None, redoc_url=None)
    problem.install(app)

    @app.get("/status")
    async def _status() -> dict[str, Any]:
        return status()

    @app.post("/apply")
    async def _apply() -> dict[str, Any]:
        return (await apply()).document()

    return app
