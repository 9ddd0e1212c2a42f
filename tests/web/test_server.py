"""The servers inside the hub: a socket for one user, TLS 1.2 or higher for everybody, both ended with their task."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.conftest import free_ports

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.web.server import serve_on_socket, serve_over_tls


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI()

    @made.get("/")
    def _hello() -> str:
        return "hello"

    return made


def serving(server: Coroutine[Any, Any, None], ready: Callable[[], Awaitable[Any]]) -> Any:
    """Run the server until `ready` returns something, and return that; the server must end when it is cancelled."""

    async def run() -> Any:
        task = asyncio.create_task(server)
        async with asyncio.timeout(20):
            while (seen := await ready()) is None:
                assert not task.done(), task.exception()
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return seen

    return asyncio.run(run())


def get(transport: httpx2.AsyncHTTPTransport, url: str) -> Callable[[], Awaitable[Any]]:
    """Return an attempt to get the page: None while nobody listens, else the page or why it did not come."""

    async def attempt() -> Any:
        async with httpx2.AsyncClient(transport=transport) as client:
            try:
                return (await client.get(url)).text
            except httpx2.ConnectError as error:
                return None if "attempts failed" in str(error) else str(error) or "closed"

    return attempt


def test_a_socket_is_for_its_user_alone_and_a_stale_one_is_replaced(app: FastAPI, tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.touch(0o644)

    async def look() -> Any:
        if not path.is_socket():
            return None
        answer = await get(httpx2.AsyncHTTPTransport(uds=str(path)), "http://hub/")()
        return (answer, path.stat().st_mode & 0o777) if answer else None

    assert serving(serve_on_socket(app, path), look) == ('"hello"', 0o600)


def over_tls(hub: Hub, app: FastAPI, context: ssl.SSLContext, host: str = "localhost") -> str:
    """Return what a client with this context gets: the page, or why TLS refused."""
    (port,) = free_ports(1)
    server = serve_over_tls(app, "127.0.0.1", port, hub_state(hub).server)
    transport = httpx2.AsyncHTTPTransport(verify=context)
    text: str = serving(server, get(transport, f"https://{host}:{port}/"))
    return text


@pytest.fixture
def trusting(hub: Hub) -> ssl.SSLContext:
    """A context that trusts the hub's server CA; the address is loopback's, so the name is looked at elsewhere."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=contract(hub).trust.server_ca)
    context.check_hostname = False
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_page_comes_over_tls_with_the_certificate_of_the_server_ca(
    hub: Hub, app: FastAPI, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    trusting.minimum_version = trusting.maximum_version = version
    assert over_tls(hub, app, trusting) == '"hello"'


def test_the_certificate_is_for_no_other_name(hub: Hub, app: FastAPI, trusting: ssl.SSLContext) -> None:
    trusting.check_hostname = True
    assert "Hostname mismatch" in over_tls(hub, app, trusting)


def test_tls_1_1_is_refused(hub: Hub, app: FastAPI, trusting: ssl.SSLContext) -> None:
    trusting.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        trusting.minimum_version = trusting.maximum_version = ssl.TLSVersion.TLSv1_1
    assert over_tls(hub, app, trusting) == "closed"
