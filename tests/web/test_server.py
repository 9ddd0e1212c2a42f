"""The servers inside the hub: a socket for one user, TLS 1.2 or higher for everybody, both ended with their task."""

import asyncio
import json
import os
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from fastapi import FastAPI, Request
from tests.conftest import free_ports

from bothways import files
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, sign_for_hub
from bothways.store.authorities import Role
from bothways.web import server
from bothways.web.server import ServerCertificate, serve_on_socket, serve_over_tls
from bothways.xds.state import KeyPair


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


def get(
    transport: httpx2.AsyncHTTPTransport, url: str, headers: dict[str, str] | None = None
) -> Callable[[], Awaitable[Any]]:
    """Return an attempt to get the page: None while nobody listens, else the page or why it did not come."""

    async def attempt() -> Any:
        async with httpx2.AsyncClient(transport=transport) as client:
            try:
                return (await client.get(url, headers=headers)).text
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
    server = serve_over_tls(app, "127.0.0.1", port, ServerCertificate(hub.run_directory, hub_state(hub).server))
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


def renew(hub: Hub) -> KeyPair:
    """Put a new server certificate to use, and return it."""
    with hub.write() as transaction:
        sign_for_hub(hub, transaction, Role.SERVER)
    return hub_state(hub).server


def serial_of(pair: KeyPair) -> int:
    return x509.load_pem_x509_certificate(pair.certificate_pem.encode()).serial_number


class Line:
    """An open connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def serial(self) -> int:
        """The serial number of the certificate that the server presented."""
        der = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(der).serial_number

    async def page(self) -> bytes:
        self._writer.write(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length"))
        return await self._reader.readexactly(int(length))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def connect(port: int, context: ssl.SSLContext) -> Line:
    """Connect as soon as somebody listens; the caller's time-out bounds it."""
    while True:
        try:
            return Line(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="unused"))
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_renewed_certificate_is_presented_to_new_connections_and_open_ones_live_on(
    hub: Hub, app: FastAPI, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    trusting.minimum_version = trusting.maximum_version = version
    first = hub_state(hub).server
    certificate = ServerCertificate(hub.run_directory, first)
    (port,) = free_ports(1)

    async def run() -> None:
        task = asyncio.create_task(serve_over_tls(app, "127.0.0.1", port, certificate))
        async with asyncio.timeout(20):
            old = await connect(port, trusting)
            assert (old.serial, await old.page()) == (serial_of(first), b'"hello"')
            second = renew(hub)
            certificate.follow(second)
            new = await connect(port, trusting)
            assert (new.serial, await new.page()) == (serial_of(second), b'"hello"')
            assert await old.page() == b'"hello"'
            for line in (old, new):
                await line.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_half_a_handshake_is_cut_off_and_others_are_served_meanwhile(
    hub: Hub, app: FastAPI, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = ServerCertificate(hub.run_directory, hub_state(hub).server)
    (port,) = free_ports(1)
    hello = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        trusting.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="unused").do_handshake()
    begun = hello.read()

    async def connected() -> Line:
        # The bound of this test is so short that a busy machine may miss it.
        while True:
            with suppress(ConnectionError):
                return await connect(port, trusting)

    async def run() -> None:
        task = asyncio.create_task(serve_over_tls(app, "127.0.0.1", port, certificate))
        async with asyncio.timeout(20):
            first = await connected()
            slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            for (_, writer), part in zip(slow, (b"", begun[:20], begun), strict=True):
                writer.write(part)
            healthy = await connected()
            assert (await first.page(), await healthy.page()) == (b'"hello"', b'"hello"')
            # With the bound of asyncio itself, none of these ends before the test's own time is over.
            for reader, writer in slow:
                # What the server says to a whole hello, until it has waited long enough for the rest.
                with suppress(ConnectionError):
                    while await reader.read(1 << 14):
                        pass
                writer.close()
            assert (await first.page(), await healthy.page()) == (b'"hello"', b'"hello"')
            for line in (first, healthy):
                await line.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(server, "_HANDSHAKE_SECONDS", 0.2)
    asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="memfd_create(2) is Linux")
def test_the_key_is_on_no_disk(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    server = hub_state(hub).server
    before = set(Path("/proc/self/fd").iterdir())
    ServerCertificate(tmp_path / "nowhere", server)
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_without_files_in_memory_the_key_is_gone_when_it_was_read(
    hub: Hub, app: FastAPI, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(hub.run_directory / "nowhere"))
    before = set(hub.run_directory.iterdir())
    assert over_tls(hub, app, trusting) == '"hello"'
    assert set(hub.run_directory.iterdir()) == before


def test_a_server_for_certain_clients_asks_for_their_certificate_and_tells_the_application_of_it(hub: Hub) -> None:
    (port,) = free_ports(1)
    state = hub_state(hub)
    shown = FastAPI()

    @shown.get("/")
    def _peer(request: Request) -> list[str]:
        chain: list[str] = request.scope["extensions"]["tls"]["client_cert_chain"]
        return chain

    clients = contract(hub).trust.client_ca
    certificate = ServerCertificate(hub.run_directory, state.server, clients)
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    context.check_hostname = False
    address = f"https://localhost:{port}/"

    def asked(context: ssl.SSLContext) -> Any:
        server = serve_over_tls(shown, "127.0.0.1", port, certificate)
        return serving(server, get(httpx2.AsyncHTTPTransport(verify=context), address))

    # In TLS 1.3 the client's handshake is over before the server says what it thinks of it.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert asked(context) == "closed"
    with files.readable((state.client.key_pem + state.client.certificate_pem).encode(), hub.run_directory) as path:
        context.load_cert_chain(path)
    assert json.loads(asked(context)) == [state.client.certificate_pem]
    # Under other CAs from then on: who is of the one before is a stranger, also at a listener that was there already.
    certificate.follow(state.server, contract(hub).trust.issuing_ca)
    assert asked(context) == "closed"
    certificate.follow(state.server, clients + contract(hub).trust.issuing_ca)
    assert json.loads(asked(context)) == [state.client.certificate_pem]


def test_where_a_request_came_from_is_not_what_it_says(hub: Hub, trusting: ssl.SSLContext) -> None:
    shown = FastAPI()

    @shown.get("/")
    def _source(request: Request) -> list[str]:
        return [request.client.host if request.client else "", request.url.scheme]

    (port,) = free_ports(1)
    certificate = ServerCertificate(hub.run_directory, hub_state(hub).server)
    told = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http"}
    asked = get(httpx2.AsyncHTTPTransport(verify=trusting), f"https://localhost:{port}/", told)
    answer = serving(serve_over_tls(shown, "127.0.0.1", port, certificate), asked)
    assert json.loads(answer) == ["127.0.0.1", "https"]


def test_a_server_for_everybody_tells_of_no_certificate(hub: Hub, trusting: ssl.SSLContext) -> None:
    shown = FastAPI()

    @shown.get("/")
    def _peer(request: Request) -> list[str]:
        chain: list[str] = request.scope["extensions"]["tls"]["client_cert_chain"]
        return chain

    assert over_tls(hub, shown, trusting) == "[]"
