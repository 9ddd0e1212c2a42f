"""What the figures of the endpoint share: a hub that runs with many customers, the same files for its peers, and load.

The load comes from this process: one connection after the other, or requests on connections that stay open. What is
measured is the CPU time of the server, so that the client's speed does not count, and neither does what else runs.
"""

import re
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench.peers import PEERS, Server, Setting, program
from bench.population import add_servers, populate
from bothways.cli.opening import control
from bothways.contract.document import Environment, KeyType
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.certificates import certificate_chain, certificate_seen, show_certificate
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
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

TSP_ID = "12345678"
SERVICE = "tokens"
_READY = 120.0
_LENGTH = re.compile(rb"content-length: (\d+)\r\n(?:[^\r]+\r\n)*\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class World:
    """A hub that runs, with its Envoy as `server`, a customer's `context` for TLS, and a service at `service_port`.

    `process` is that of the hub, `directory` where everything stands.
    """

    hub: Hub
    spoke: Spoke
    server: Server
    context: ssl.SSLContext
    host: str
    service_port: int
    directory: Path
    process: BothwaysProcess

    def context_of(self, spoke: Spoke) -> ssl.SSLContext:
        """Return a TLS context that trusts the hub, and has the certificate of a spoke."""
        return _context(self.hub, spoke)

    def setting(self, port: int) -> Setting:
        """Return what a peer is given that is to listen at a port."""
        return Setting(self.directory, self.host, port, self.service_port)

    def apply(self) -> None:
        """Bring what is stored into force. Raises `RuntimeError` if it is not, at each node."""
        applied = control(self.hub, "POST", "/apply")
        if not applied or not applied["in_force"] or applied["away"]:
            raise RuntimeError(f"a change is not in force: {applied}")


@contextmanager
def world(customers: int, *, letting_nodes_in: bool = False) -> Iterator[World]:
    """Run a hub with so many customers besides one that calls; all may use the one service, and each has a server.

    `letting_nodes_in`: it listens for remote nodes too.
    """
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service_port = stack.enter_context(_service(place))
        inbound, portal, egress, nodes, connectivity = free_ports(5)
        settings = Settings(inbound_port=inbound, portal_port=portal, egress_port=egress, scheduled_probes=False)
        if letting_nodes_in:
            settings = replace(settings, nodes_port=nodes, nodes_connectivity_port=connectivity)
        initialise(place / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        hub = stack.enter_context(open_hub(place / "hub", "bench"))
        # The peers hand no certificate on, so that there is none to convert for the service here either.
        add_service(hub, Service(SERVICE, f"/{SERVICE}", f"http://127.0.0.1:{service_port}", client_cert=False))
        add_customer(hub, TSP_ID, CustomerKind.ISSUER, "Bank")
        grant_service(hub, SERVICE, TSP_ID)
        spoke, _ = enrolled(hub, place / "spoke")
        populate(hub, customers, SERVICE)
        # Both directions, as customers have them: each has a server that the hub would call.
        chain = make_server_files(place, "Shops", "shops.example").chain.read_text()
        add_servers(hub, customers, 1, chain, (TSP_ID,))
        process = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], place / "hub.log")
        stack.callback(process.stop)
        process.next_line(_READY)
        with open_client(spoke) as client:
            proved = call(client, "GET", "/connectivity").status
            control(hub, "POST", "/apply")
            served = call(client, "GET", f"/{SERVICE}/").status
            if (proved, served) != (200, 200):
                raise RuntimeError(f"the hub does not serve its customer: {proved}, {served}")
        _write_files(hub, place)
        status = control(hub, "GET", "/status") or {}
        host = urlsplit(hub.terms.endpoint).hostname or ""
        server = Server("Bothways", inbound, status["envoy"]["pid"])
        yield World(hub, spoke, server, _context(hub, spoke), host, service_port, place, process)


@contextmanager
def servers(ours: World) -> Iterator[list[Server]]:
    """Yield our Envoy and every peer that can be had, all running."""
    with ExitStack() as stack:
        ports = free_ports(len(PEERS))
        started = [stack.enter_context(peer(ours.setting(port))) for peer, port in zip(PEERS, ports, strict=True)]
        yield [ours.server, *(each for each in started if each)]


def connections(ours: World, server: Server, count: int) -> None:
    """Make connections one after the other, each with a full handshake and one request."""
    for _ in range(count):
        with connected(ours, server, ours.context) as line:
            _require_ok(ours, server, line)


def requests(ours: World, server: Server, count: int) -> None:
    """Send requests on one connection that stays open."""
    with connected(ours, server, ours.context) as line:
        for _ in range(count):
            _require_ok(ours, server, line)


def connected(ours: World, server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a new connection to a server, after a full handshake."""
    plain = socket.create_connection(("127.0.0.1", server.port), 10)
    # Without it, TLS 1.3 shows 40 ms of delayed acknowledgement.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return context.wrap_socket(plain, server_hostname=ours.host)
    except OSError:
        plain.close()
        raise


def asked(ours: World, server: Server, line: ssl.SSLSocket) -> bytes:
    """Ask for the service on an open connection; return the status of the answer, `closed` if there is none."""
    return answered(line, f"GET /{SERVICE}/ HTTP/1.1\r\nHost: {ours.host}:{server.port}\r\n\r\n".encode())


def answered(line: socket.socket, request: bytes) -> bytes:
    """Send a request on an open connection; return the status of the answer, `closed` if there is none."""
    line.sendall(request)
    answer = b""
    while not (found := _LENGTH.search(answer)) or len(answer) < found.end() + int(found[1]):
        received = line.recv(65536)
        if not received:
            return b"closed"
        answer += received
    return answer.split(b" ", 2)[1]


def another(hub: Hub, directory: Path, tsp_id: str) -> Iterator[tuple[Spoke, str]]:
    """Add a customer that may use the service; yield new certificates of it, each with its serial number in hex."""
    add_customer(hub, tsp_id, CustomerKind.ISSUER, "Bank")
    grant_service(hub, SERVICE, tsp_id)
    for number in count():
        spoke, serial = enrolled(hub, directory / f"{tsp_id}-{number}", tsp_id)
        # As its first call would.
        certificate_seen(hub, show_certificate(hub, serial).fingerprint or "")
        yield spoke, serial


def enrolled(hub: Hub, directory: Path, tsp_id: str = TSP_ID) -> tuple[Spoke, str]:
    """Make a new certificate of a customer, else of the one that calls; return its spoke, and the serial in hex."""
    directory.mkdir()
    spoke = Spoke(directory, contract(hub), tsp_id)
    request = make_request(spoke, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "Bank", "Payments"))
    record = approve_request(hub, submit_request(hub, tsp_id, request.der).id)
    install_certificate(spoke, certificate_chain(hub, show_certificate(hub, record.serial)).encode())
    return spoke, record.serial


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _require_ok(ours: World, server: Server, line: ssl.SSLSocket) -> None:
    if (status := asked(ours, server, line)) != b"200":
        raise RuntimeError(f"{server.name} answered {status.decode()}")


def _context(hub: Hub, spoke: Spoke) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=contract(hub).trust.server_ca)
    context.load_cert_chain(spoke.certificate_file, spoke.key_file)
    return context


def _write_files(hub: Hub, place: Path) -> None:
    state = hub_state(hub)
    (place / "tls.crt").write_text(state.server.certificate_pem)
    (place / "tls.key").write_text(state.server.key_pem)
    (place / "ca.crt").write_text(state.trust.pem)
    (place / "ca.crl").write_text("".join(state.trust.lists))


@contextmanager
def _service(place: Path) -> Iterator[int]:
    """Serve two letters with nginx, which costs the servers in front of it nothing."""
    [port] = free_ports(1)
    folder = place / "service"
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; keepalive_requests 100000000; keepalive_timeout 1h; return 200 "ok"; }}
}}
"""
    )
    nginx = program("nginx")
    if not nginx:
        raise RuntimeError("nginx is not there, and is the service behind the endpoint: apt-get install nginx-light")
    with subprocess.Popen([nginx, "-c", str(folder / "nginx.conf"), "-e", "stderr"]) as process:
        try:
            yield port
        finally:
            process.terminate()
