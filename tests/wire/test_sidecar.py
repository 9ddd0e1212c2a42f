"""The sidecar beside a hub that runs: both directions through the real Envoys, and what changes while they run."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conftest import free_ports
from tests.forked import ForkedProcess
from tests.wire.conftest import ISSUER, World
from tests.wire.upstream import Upstream, answer, serving

from bothways import files
from bothways.contract.document import Contract
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.pki.chain import certificate_pem
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

HOST = "callbacks.localhost"
SECONDS = 20.0


@dataclass
class Running:
    """A sidecar that runs, and the application behind it."""

    process: BothwaysProcess
    local: int
    port: int
    server: ServerFiles
    application: Upstream

    def call(self, path: str, **headers: str) -> httpx2.Response:
        """Call the hub as an application does."""
        return httpx2.get(f"http://127.0.0.1:{self.local}{path}", headers=headers, timeout=SECONDS, trust_env=False)

    def called(self, pair: Path | None, *headers: tuple[str, str]) -> tuple[int, str]:
        """Call the application as the hub does, with this certificate; return the status and the head it was sent."""
        with closing(self.connect(pair)) as secured:
            return ask(secured, self.application, *headers)

    def connect(self, pair: Path | None) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.server.chain))
        if pair:
            context.load_cert_chain(pair)
        plain = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        return context.wrap_socket(plain, server_hostname=HOST)


def ask(secured: ssl.SSLSocket, application: Upstream, *headers: tuple[str, str]) -> tuple[int, str]:
    connection = HTTPConnection(HOST)
    connection.sock = secured
    connection.putrequest("POST", "/notify")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    response.read()
    return response.status, application.heads[-1].lower() if application.heads else ""


@contextmanager
def sidecar(spoke: Spoke, server: ServerFiles, application: Upstream, *more: str) -> Iterator[Running]:
    """Run `bothways spoke run` as a process, until it is ready."""
    local, port = free_ports(2)
    arguments = ["spoke", "run", "--directory", str(spoke.directory), "--local-port", str(local)]
    arguments += ["--app", f"http://127.0.0.1:{application.port}", "--address", "127.0.0.1", "--port", str(port)]
    arguments += ["--certificate", str(server.certificate), "--key", str(server.key), *more]
    process = ForkedProcess(arguments, spoke.directory / "sidecar.log")
    try:
        ready = process.next_line(60)
        assert ready["local"] == f"http://127.0.0.1:{local}"
        yield Running(process, local, port, server, application)
    finally:
        process.stop()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def published(spoke: Spoke, now: Contract) -> None:
    """Put a contract in the spoke's directory, as the hub publishes it."""
    files.replace(spoke.contract_file, render_contract(now).encode())


@pytest.fixture(scope="module")
def spoke(world: World) -> Spoke:
    made, _ = world.connected(ISSUER)
    published(made, contract(world.hub))
    files.write_new(made.directory / "spoke.toml", f'customer = "{ISSUER}"\n'.encode())
    return made


@pytest.fixture(scope="module")
def running(spoke: Spoke) -> Iterator[Running]:
    server = make_server_files(spoke.directory, "First Bank", HOST)
    with serving(answer) as application, sidecar(spoke, server, application) as started:
        yield started


@pytest.fixture
def hub_pair(world: World, tmp_path: Path) -> Callable[[], Path]:
    """Return a maker of the file with the client certificate and key that the hub uses now."""

    def make() -> Path:
        pair = hub_state(world.hub).client
        path = tmp_path / f"hub-{pair.fingerprint[:8]}.pem"
        files.replace(path, (pair.key_pem + pair.certificate_pem).encode(), files.PRIVATE)
        return path

    return make


def test_an_application_calls_the_hub_over_a_plain_port(running: Running) -> None:
    until(lambda: running.call("/connectivity").status_code == 200)
    assert running.call("/connectivity").json()["customer"] == ISSUER
    assert running.call("/tokens/first").status_code == 200
    assert running.call("/vault").status_code == 403


def test_the_hubs_call_arrives_with_its_identity_and_forged_headers_do_not(
    running: Running, hub_pair: Callable[[], Path], world: World
) -> None:
    forged = [("Bothways-Hub", "evil"), ("X-Forwarded-Client-Cert", "evil"), ("X-SSL-Client-Verify", "evil")]
    status, head = running.called(hub_pair(), *forged, ("Client-Cert", "evil"), ("X-Real-IP", "evil"))
    assert status == 200
    assert "evil" not in head
    assert f"bothways-hub: {world.hub.terms.hub}\r\n" in head
    assert "bothways-environment: ppr\r\n" in head
    assert f"bothways-certificate: {hub_state(world.hub).client.fingerprint}\r\n" in head
    assert "x-forwarded-client-cert: hash=" in head
    with_underscore, _ = running.called(hub_pair(), ("Bothways_Hub", "evil"))
    assert with_underscore == 400


def test_the_hub_may_rotate_its_certificate_unannounced(
    running: Running, hub_pair: Callable[[], Path], world: World
) -> None:
    before = hub_pair()
    rotate_client_certificate(world.hub)
    after = hub_pair()
    assert before != after
    assert [running.called(each)[0] for each in (before, after)] == [200, 200]


def test_strangers_are_refused_at_the_handshake(
    running: Running, world: World, tmp_path: Path, make_ca: Callable[..., Any]
) -> None:
    name = world.hub.terms.hub

    def pair(issuer: Any, *uses: x509.ObjectIdentifier) -> Path:
        extensions = [x509.SubjectAlternativeName([x509.DNSName(name)]), x509.ExtendedKeyUsage(uses)]
        key, certificate = make_ca(name, issuer, ca=False, extensions=extensions)
        path = tmp_path / f"stranger-{certificate.serial_number}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.write_new(path, pem + certificate.public_bytes(Encoding.PEM), files.PRIVATE)
        return path

    foreign = pair(make_ca("foreign"), ExtendedKeyUsageOID.CLIENT_AUTH)
    seen = len(running.application.heads)
    for stranger in (None, foreign):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            running.called(stranger)
    assert len(running.application.heads) == seen


def test_both_client_cas_are_trusted_while_one_follows_the_other_and_uses_and_names_are_checked(
    running: Running,
    spoke: Spoke,
    world: World,
    hub_pair: Callable[[], Path],
    tmp_path: Path,
    make_ca: Callable[..., Any],
) -> None:
    name, following = world.hub.terms.hub, make_ca("Next Client CA")

    def pair(san: str, use: x509.ObjectIdentifier) -> Path:
        extensions = [x509.SubjectAlternativeName([x509.DNSName(san)]), x509.ExtendedKeyUsage([use])]
        key, certificate = make_ca(san, following, ca=False, extensions=extensions)
        path = tmp_path / f"{certificate.serial_number}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.write_new(path, pem + certificate.public_bytes(Encoding.PEM), files.PRIVATE)
        return path

    def let_in(which: Path) -> bool:
        try:
            return running.called(which)[0] == 200
        except OSError:
            return False

    good = pair(name, ExtendedKeyUsageOID.CLIENT_AUTH)
    assert not let_in(good)
    now = contract(world.hub)
    pem = following[1].public_bytes(Encoding.PEM).decode()
    published(spoke, replace(now, trust=replace(now.trust, client_ca=now.trust.client_ca + pem)))
    until(lambda: let_in(good))
    assert let_in(hub_pair())
    assert not let_in(pair(name, ExtendedKeyUsageOID.SERVER_AUTH))
    assert not let_in(pair("elsewhere.example", ExtendedKeyUsageOID.CLIENT_AUTH))
    # The hub's certificate itself in the place of its CA is not taken, and what was trusted stays.
    leaf = x509.load_pem_x509_certificates(hub_state(world.hub).client.certificate_pem.encode())[0]
    published(spoke, replace(now, trust=replace(now.trust, client_ca=certificate_pem(leaf))))
    until(lambda: "SPOKE-PIN" in (spoke.directory / "sidecar.log").read_text())
    assert let_in(good)
    published(spoke, now)
    until(lambda: not let_in(good))
    assert let_in(hub_pair())


def test_a_renewed_certificate_is_shown_to_the_hub_without_a_failed_call(
    running: Running, spoke: Spoke, world: World
) -> None:
    def shown(_: int = 0) -> str:
        answered = running.call("/connectivity")
        assert answered.status_code == 200
        return str(answered.json()["certificate"]["serial"])

    # Envoy may be opening its first connection yet.
    until(lambda: running.call("/connectivity").status_code == 200)
    before = shown()
    after = world.renewed(spoke)
    world.apply()
    # An open connection keeps its certificate for a minute at most; more calls at once need another connection.
    end, at_once = time.monotonic() + 60 + SECONDS, 1
    with ThreadPoolExecutor(16) as threads:
        while after not in (seen := set(threads.map(shown, range(at_once)))):
            assert seen == {before}
            assert time.monotonic() < end
            at_once = min(at_once + 1, 16)


def test_another_server_certificate_is_shown_as_soon_as_it_is_there_and_a_broken_one_never(
    running: Running, spoke: Spoke, hub_pair: Callable[[], Path], tmp_path: Path
) -> None:
    def shown() -> str:
        with closing(running.connect(hub_pair())) as secured:
            return str(x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"").serial_number)

    first = shown()
    # In place, as many tools write: not even then half of a pair is shown.
    running.server.key.write_bytes(b"broken")
    until(lambda: "cannot be used" in (spoke.directory / "sidecar.log").read_text())
    assert shown() == first
    made = make_server_files(tmp_path, "First Bank", HOST)
    running.server.chain.write_bytes(made.chain.read_bytes())
    for before, after in ((running.server.certificate, made.certificate), (running.server.key, made.key)):
        before.write_bytes(after.read_bytes())

    def changed() -> bool:
        try:
            return shown() != first
        except ssl.SSLError:
            return False

    until(changed)


def test_a_request_that_was_begun_is_answered_before_the_end(world: World, tmp_path: Path) -> None:
    spoke, _ = world.connected(ISSUER)
    published(spoke, contract(world.hub))
    files.write_new(spoke.directory / "spoke.toml", f'customer = "{ISSUER}"\n'.encode())
    server = make_server_files(tmp_path, "First Bank", HOST)
    pair = hub_state(world.hub).client
    (tmp_path / "hub.pem").write_text(pair.key_pem + pair.certificate_pem)
    stopping = list[BothwaysProcess]()

    def slow(upstream: Upstream, connection: socket.socket) -> None:
        upstream.read(connection)
        stopping[0].terminate()
        time.sleep(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(slow) as application, sidecar(spoke, server, application) as started:
        stopping.append(started.process)
        assert started.called(tmp_path / "hub.pem")[0] == 200
        until(lambda: not started.process.running)
        with pytest.raises(RuntimeError, match="the process ended with 0"):
            started.process.next_line(30)
