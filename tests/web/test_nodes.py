"""What nodes are served is served to nodes on record alone; over a real connection: `tests/wire/test_nodes.py`."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.types import Message

from bothways.web.nodes import nodes_only

Scope = dict[str, Any]


def node_of(certificate: bytes) -> tuple[str, str] | None:
    return ("eu-1", "a" * 64) if certificate == b"the node's" else None


def asked(extensions: Scope) -> httpx2.Response:
    """Ask for the page, over a connection of which the server says this."""
    app = FastAPI()

    @app.get("/")
    def _hello() -> str:
        return "hello"

    gate = nodes_only(app, node_of)

    async def connection(scope: Any, receive: Any, send: Any) -> None:
        await gate({**scope, "extensions": extensions}, receive, send)

    async def run() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(connection), base_url="http://hub") as client:
            return await client.get("/")

    return asyncio.run(run())


def test_a_node_on_record_is_served() -> None:
    answer = asked({"tls": {"client_cert_chain": ["the node's"]}})
    assert (answer.status_code, answer.json()) == (200, "hello")


@pytest.mark.parametrize(
    "extensions",
    [{}, {"tls": {}}, {"tls": {"client_cert_chain": []}}, {"tls": {"client_cert_chain": ["a stranger's"]}}],
)
def test_anybody_else_is_told_so_and_nothing_more(extensions: Scope) -> None:
    answer = asked(extensions)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (answer.json()["status"], answer.json()["type"]) == (403, "urn:bothways:problem:notauthorized")


def test_what_is_no_request_of_http_is_not_let_through() -> None:
    said: list[Message] = []

    async def app(*_: Any) -> None:
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        raise AssertionError

    scope = {"type": "websocket", "extensions": {"tls": {"client_cert_chain": ["the node's"]}}}

    async def run() -> None:
        await nodes_only(app, node_of)(scope, receive, send)

    asyncio.run(run())
    assert said[0]["type"].endswith("http.response.start")
