"""Who says nothing, or half, is cut off; who has many connections gets no more; others are served meanwhile."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from tests.conftest import free_ports

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.web import lines
from bothways.web.server import ServerCertificate, serve_over_tls

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = b"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 4\r\n"


def served(hub: Hub, test: Callable[[Callable[..., Awaitable[Line]]], Awaitable[None]], clients: str = "") -> None:
    """Run a test, which is given a way to connect, beside a server that answers with what it was sent."""
    app, (port,) = FastAPI(), free_ports(1)

    @app.post("/")
    async def _echo(request: Request) -> str:
        try:
            return (await request.body()).decode()
        except ClientDisconnect:
            return "gone"

    pair = hub_state(hub).server
    certificate = ServerCertificate(hub.run_directory, pair, clients)
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    context.check_hostname = False

    async def connect(source: str = "127.0.0.1") -> Line:
        while True:
            try:
                return await asyncio.open_connection(
                    "127.0.0.1", port, ssl=context, server_hostname="unused", local_addr=(source, 0)
                )
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)

    async def run() -> None:
        task = asyncio.create_task(serve_over_tls(app, "127.0.0.1", port, certificate))
        async with asyncio.timeout(30):
            await test(connect)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


async def ended(line: Line) -> bytes:
    """Return what still comes until the other side ends the connection; the time-out of `served` bounds it."""
    found = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while more := await line[0].read(1000):
            found += more
    return found


async def left(*connected: Line) -> None:
    """Leave connections."""
    for _, writer in connected:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def answered(line: Line, request: bytes) -> bytes:
    """Send a request; return the answer's body."""
    line[1].write(request)
    await line[0].readuntil(b"\r\n\r\n")
    return await line[0].readexactly(6)


def test_who_sends_nothing_half_a_head_or_half_a_body_is_cut_off_and_nobody_else(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[bool] = []
    received = lines.Line.data_received

    def noted(line: lines.Line, data: bytes) -> None:
        received(line, data)
        waiting.append(line._ends is not None)

    monkeypatch.setattr(lines.Line, "data_received", noted)

    async def test(connect: Callable[..., Awaitable[Line]]) -> None:
        good = await connect()
        assert await answered(good, HEAD + b"\r\n1234") == b'"1234"'
        # The clock stands still for what is whole, and for nothing else.
        assert waiting == [False]
        await left(good)
        monkeypatch.setattr(lines, "_PATIENCE", 0.05)
        for part in (b"", HEAD[:20], HEAD + b"\r\n12"):
            slow = await connect()
            slow[1].write(part)
            assert await ended(slow) == b""
            await left(slow)

    served(hub, test)
    assert all(waiting[1:])


def test_one_address_has_so_many_connections_and_another_one_is_served(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_OF_ONE", 2)
    monkeypatch.setattr(lines, "_OF_ALL", 3)

    async def test(connect: Callable[..., Awaitable[Line]]) -> None:
        first = [await connect() for _ in range(2)]
        third = await connect()
        assert await ended(third) == b""
        other = await connect("127.0.0.2")
        assert await answered(other, HEAD + b"\r\n1234") == b'"1234"'
        fifth = await connect("127.0.0.3")
        assert await ended(fifth) == b""
        await left(*first, third, fifth)
        await left(other)
        # Whoever left is counted no more, as soon as the server sees it.
        found = b""
        while found != b'"1234"':
            again = await connect("127.0.0.3")
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                found = await answered(again, HEAD + b"\r\n1234")
            await left(again)

    served(hub, test)
