"""What only the asynchronous transport does; what all clients promise is in `test_line.py`."""

import asyncio
import ssl
from typing import Any

import anyio
import httpx2
import pytest
from tests.spoke.hubs import Hubs

from bothways.spoke.async_transport import AsyncTransport
from bothways.spoke.client import AsyncClient
from bothways.spoke.line import Line


async def many(hubs: Hubs) -> tuple[list[str], bytes]:
    """Make requests at once and after one another, and stream one body up and another down."""

    async def body() -> Any:
        yield b"streamed"
        yield b"body"

    seen: list[str] = []
    async with AsyncClient(hubs.spoke, ask=hubs.question().ask, timeout=60) as client:

        async def load() -> None:
            for _ in range(5):
                seen.append((await client.get("/")).text)  # noqa: PERF401 - each waits for the one before

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(load)
        async with client.stream("POST", "/", content=body()) as answer:
            content = b"".join([part async for part in answer.aiter_bytes()])
    return seen, content


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_many_requests_at_once_share_the_pool(hubs: Hubs, library: str) -> None:
    hubs.at("127.0.0.1", ttl=60)
    assert anyio.run(many, hubs, backend=library) == (["127.0.0.1"] * 50, b"127.0.0.1")
    assert hubs.first.accepted <= 11


def test_a_cancelled_request_leaves_nothing_open(hubs: Hubs) -> None:
    async def run() -> None:
        async with AsyncClient(hubs.spoke, ask=hubs.question().ask, timeout=60) as client:
            with anyio.move_on_after(0.2):
                await client.get("/slow")
            hubs.first.go.set()
            assert (await client.get("/")).text == "127.0.0.1"
            name = "bothways_spoke_connections_open"
            assert client.metrics.value(name, host="api.hub.test") == 1

    anyio.run(run)


def test_an_answer_of_dns_after_the_end_of_the_event_loop_harms_nobody(hubs: Hubs) -> None:
    hubs.at("127.0.0.1", ttl=60)
    line = Line(ssl.create_default_context, ask=hubs.question().ask)
    transport = AsyncTransport(line)

    async def run() -> None:
        with pytest.raises(httpx2.ConnectError):
            await transport.handle_async_request(httpx2.Request("GET", f"https://api.hub.test:{hubs.port}/"))

    loop = asyncio.new_event_loop()
    loop.run_until_complete(run())
    # It stands still, and may never go on: a thread that waited for it would wait for ever.
    line.on_answer()
    loop.close()
    line.on_answer()
    line.close()


def test_what_has_no_tls_is_refused_before_anything_is_sent() -> None:
    async def run() -> None:
        async with httpx2.AsyncClient(transport=AsyncTransport(Line(ssl.create_default_context))) as client:
            await client.get("http://localhost:1/")

    with pytest.raises(httpx2.UnsupportedProtocol, match="Use https://"):
        anyio.run(run)
