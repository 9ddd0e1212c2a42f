"""A hub that runs with its Envoy, a service behind it, customers with certificates, and raw TLS towards it."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from tests.conftest import local_settings, running

from bothways.cli.opening import control
from bothways.contract.document import Environment, KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.demo.echo import echo_service
from bothways.operations.certificates import certificate_chain, show_certificate
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.services import add_service, grant_service
from bothways.operations.settings import Settings
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.spoke.client import call, open_client
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke
from bothways.spoke.install import install_certificate
from bothways.xds.bootstrap import bootstrap
from bothways.xds.snapshot import Snapshot

ISSUER, MERCHANT = "12345678", "87654321"
_SECONDS = 10.0


@dataclass(slots=True)
class World:
    """A hub and what stands around it; `spokes` counts what was made, for names."""

    hub: Hub
    directory: Path
    spokes: list[Spoke] = field(default_factory=list)

    @property
    def host(self) -> str:
        return urlsplit(self.hub.terms.endpoint).netloc

    def apply(self) -> None:
        """Bring what is stored into force."""
        applied = control(self.hub, "POST", "/apply")
        assert applied is not None
        assert applied["in_force"] is True

    def serve(self, service: Service, *customers: str) -> None:
        """Put another service behind the endpoint, open to these customers."""
        add_service(self.hub, service)
        for each in customers:
            grant_service(self.hub, service.name, each)
        self.apply()

    def certified(self, tsp_id: str = ISSUER, organization: str = "Bank") -> tuple[Spoke, str]:
        """Return a new spoke of the customer with its certificate installed, and the serial number."""
        directory = self.directory / f"spoke-{len(self.spokes)}"
        directory.mkdir()
        spoke = Spoke(directory, contract(self.hub), tsp_id)
        spoke.contract_file.write_text(render_contract(spoke.contract))
        self.spokes.append(spoke)
        return spoke, self.renewed(spoke, organization)

    def renewed(self, spoke: Spoke, organization: str = "Bank") -> str:
        """Install the next certificate of the spoke, with a new key, and return its serial number."""
        request = make_request(spoke, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", organization, "Payments"))
        stored = submit_request(self.hub, spoke.tsp_id, request.der)
        # In production it takes two people.
        record = approve_request(replace(self.hub, actor="reviewer"), stored.id)
        pem = certificate_chain(self.hub, show_certificate(self.hub, record.serial))
        install_certificate(spoke, pem.encode())
        return record.serial

    def connected(self, tsp_id: str = ISSUER) -> tuple[Spoke, str]:
        """Return the same once its inbound flow is established."""
        spoke, serial = self.certified(tsp_id)
        self.apply()
        with open_client(spoke) as client:
            assert call(client, "GET", "/connectivity").status == 200
        return spoke, serial

    def context(self, spoke: Spoke | None = None) -> ssl.SSLContext:
        """Return a TLS context that trusts the hub, and has the spoke's certificate if one is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=contract(self.hub).trust.server_ca)
        if spoke:
            context.load_cert_chain(spoke.certificate_file, spoke.key_file)
        return context

    def tls(self, context: ssl.SSLContext, name: str | None = "", **more: Any) -> ssl.SSLSocket:
        """Shake hands with the endpoint; `name` is the SNI, by default the right one, None for none."""
        address = (self.hub.settings.inbound_address, self.hub.settings.inbound_port)
        plain = socket.create_connection(address, _SECONDS)
        try:
            server_name = self.host.split(":")[0] if name == "" else name
            return context.wrap_socket(plain, server_hostname=server_name, **more)
        except OSError:
            plain.close()
            raise

    def open(self, spoke: Spoke) -> "Line":
        """Return an open connection of this spoke."""
        return Line(self.tls(self.context(spoke)), self.host)


class Line:
    """One open connection to the endpoint: what is asked on it is sent as it stands."""

    def __init__(self, secured: ssl.SSLSocket, host: str) -> None:
        self._host = host
        self.tls_version = secured.version()
        self._connection = HTTPConnection("unused")
        self._connection.sock = secured
        # A line that was closed must not be opened again behind the test's back.
        self._connection.auto_open = 0

    def ask(self, path: str, headers: tuple[tuple[str, str], ...] = (), host: str | None = None) -> tuple[int, bytes]:
        """Send one GET, and return status and body."""
        answer = self.answer("GET", path, headers, host=host)
        return answer.status, answer.read()

    def answer(
        self,
        method: str,
        path: str,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        host: str | None = None,
    ) -> HTTPResponse:
        """Send one request, and return the answer, whose body is not read yet."""
        self._connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("Host", self._host if host is None else host), *headers):
            self._connection.putheader(name, value)
        if body:
            self._connection.putheader("Content-Length", str(len(body)))
        self._connection.endheaders(body or None)
        return self._connection.getresponse()

    def until(self, path: str, status: int) -> bytes:
        """Ask until the status is this one, and return the body: Envoy looks up the name of a new service first."""
        deadline = time.monotonic() + _SECONDS
        while (answer := self.ask(path))[0] != status:
            assert time.monotonic() < deadline, answer
        return answer[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


async def with_envoy(
    hub: Hub, first: Snapshot, test: Callable[[AdsServer], Awaitable[None]], *also: Callable[[Any], Any]
) -> None:
    """Run a test beside an Envoy that starts from this snapshot; `also` is served to it besides."""
    run = hub.run_directory
    (run / "envoy.json").write_text(bootstrap("node", str(run / "ads.sock"), str(run / "admin.sock")))
    ads = AdsServer(run / "ads.sock", first, also=also)
    await ads.start()
    envoy = asyncio.create_task(EnvoyProcess(find_envoy(), run / "envoy.json", run / "envoy.log").run())
    try:
        await test(ads)
    finally:
        envoy.cancel()
        await asyncio.gather(envoy, return_exceptions=True)
        await ads.stop()


def stored_world(stack: ExitStack, directory: Path, settings: Settings) -> World:
    """Make a hub with two services and two customers, of which the first may use `tokens`; nothing runs."""
    initialise(directory / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    hub = stack.enter_context(open_hub(directory / "hub", "tester"))
    port = stack.enter_context(echo_service())
    for name in ("tokens", "vault"):
        add_service(hub, Service(name, f"/{name}", f"http://127.0.0.1:{port}"))
    add_customer(hub, ISSUER, CustomerKind.ISSUER, "Bank")
    add_customer(hub, MERCHANT, CustomerKind.MERCHANT, "Shop")
    grant_service(hub, "tokens", ISSUER)
    return World(hub, directory)


def make_world(stack: ExitStack, directory: Path, settings: Settings) -> World:
    """Make such a hub, and run it."""
    world = stored_world(stack, directory, settings)
    stack.enter_context(running(world.hub))
    return world


@pytest.fixture(scope="module")
def make_running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Settings], World]]:
    """Return a maker of worlds; they end with the file's tests."""
    with ExitStack() as stack:
        yield lambda settings: make_world(stack, tmp_path_factory.mktemp("world"), settings)


@pytest.fixture(scope="module")
def world(make_running: Callable[[Settings], World]) -> World:
    """One world for all tests of a file; each test uses certificates of its own."""
    return make_running(local_settings())


@pytest.fixture(scope="module")
def caller(world: World) -> Spoke:
    """A spoke of the issuer, for whom `tokens` is open and `vault` is not."""
    return world.connected()[0]
