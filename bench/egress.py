"""Figure `egress`: calls to customers' servers through the hub's Envoy, beside a bare one with one static cluster.

The hub has 10,000 customers with servers. What is measured: requests per second of Envoy's CPU time, and how long one
call takes, on one open connection, beside the bare Envoy in turn; Envoy's memory for 1,000 customers who are configured
(after a start with all, less a start with one) and for 1,000 who were called, and how long their first calls took; its
CPU time while nobody is called; and how long it takes from the start of the hub to the first answer.

The servers are nginx, with a name, a certificate and a CA for each customer that is called; the others are never
called, and share a chain. What is stored of the customers goes into the database without its line in the audit, and
says that a probe proved their servers.
"""

import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import ge, le
from pathlib import Path

from bench.bare_egress import bare_egress
from bench.harness import Figure, figure
from bench.inbound import answered, free_ports
from bench.peers import Server, Setting
from bench.rotation import customers_servers
from bothways.cli.opening import control
from bothways.connectivity.facts import ProbeFact
from bothways.contract.document import Environment
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.settings import EnvoyLifetime, Settings
from bothways.pki.chain import parse_chain
from bothways.registry.customer import Customer, CustomerKind
from bothways.registry.endpoint import Endpoint
from bothways.store import chains, customers, endpoints
from bothways.store.chains import ChainState
from bothways.xds.passing import APART_SECONDS

_CUSTOMERS, _CALLED = 10_000, 1_000
_ROUNDS, _EACH_ROUND = 5, 8000
_OF_BARE_ENVOY = 0.95
_READY = 120.0
_IDLE = 10.0
_MARGIN = 10.0


def egress() -> Iterator[Figure]:
    """Measure one customer, then all; then beside the bare Envoy."""
    with _place() as place:
        place.store(range(1))
        with place.running() as server:
            called(server, 0)
            alone = server.memory()
        place.store(range(1, _CUSTOMERS))
        began = time.perf_counter()
        with place.running() as server:
            called(server, 0)
            yield _told("start", [time.perf_counter() - began], "s", "from the hub's start to the first answer")
            configured = server.memory()
            first = [called(server, number)[0] * 1000 for number in range(1, _CALLED)]
            active = server.memory()
            of_thousand = 1000 / (_CUSTOMERS - 1)
            yield _told("configured", [(configured - alone) * of_thousand], "MiB", "memory for 1,000 not called")
            of_called = 1000 / len(first)
            yield _told("active", [(active - configured) * of_called], "MiB", "memory for 1,000 called, besides")
            yield _told("first", first, "ms", "a customer's first call, for which Envoy loads its server")
            yield _told("memory", [active], "MiB", f"memory of Envoy, {_CALLED:,} of the customers called")
            before = server.cpu()
            time.sleep(_IDLE)
            yield _told("idle", [(server.cpu() - before) / _IDLE * 100], "% of a core", "while nobody is called")
            # A hub that starts tells pools apart by certificate until no connection is older; then it is at rest.
            time.sleep(max(0.0, began + APART_SECONDS + _MARGIN - time.perf_counter()))
            with bare_egress(place.setting()) as bare:
                if bare:
                    yield from _beside(server, bare)


def called(server: Server, number: int, times: int = 1) -> list[float]:
    """Call a customer on one new connection, again and again; return how long each answer took, in seconds."""
    request = f"GET / HTTP/1.1\r\nHost: egress\r\nBothways-Customer: C{number}\r\n\r\n".encode()
    took = []
    with socket.create_connection(("127.0.0.1", server.port), 10) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            began = time.perf_counter()
            if (status := answered(line, request)) != b"200":
                raise RuntimeError(f"{server.name} answered {status.decode()} for customer C{number}")
            took.append(time.perf_counter() - began)
    return took


def _beside(ours: Server, bare: Server) -> Iterator[Figure]:
    per_cpu: dict[str, list[float]] = {ours.name: [], bare.name: []}
    latency: dict[str, list[float]] = {ours.name: [], bare.name: []}
    for warm_up in (True, *[False] * _ROUNDS):
        for server in (ours, bare):
            before = server.cpu()
            took = called(server, 0, _EACH_ROUND)
            used = server.cpu() - before
            if not warm_up:
                per_cpu[server.name].append(_EACH_ROUND / used)
                latency[server.name].append(statistics.median(took) * 1000)
    what = f"{_CUSTOMERS:,} customers with servers, one called on an open connection"
    yield figure(
        "egress",
        per_cpu[ours.name],
        "requests/s of server CPU",
        f"at least {_OF_BARE_ENVOY:g} of bare Envoy",
        what,
        met=partial(le, _OF_BARE_ENVOY),
        peer=(bare.name, per_cpu[bare.name]),
    )
    most = 1 / _OF_BARE_ENVOY
    yield figure(
        "egress-latency",
        latency[ours.name],
        "ms",
        f"at most {most:.3f} of bare Envoy",
        f"{what}; the median of {_EACH_ROUND:,} calls one after the other in each run",
        met=partial(ge, most),
        peer=(bare.name, latency[bare.name]),
    )


def _told(name: str, samples: list[float], unit: str, what: str) -> Figure:
    compared = f"{what}; {_CUSTOMERS:,} customers with servers"
    return figure(f"egress-{name}", samples, unit, "none; told beside the others", compared, met=bool)


@dataclass(slots=True)
class _Place:
    """A hub in a directory, and customers' servers at one port."""

    hub: Hub
    directory: Path
    port: int
    files: list[ServerFiles] = field(default_factory=list)

    def store(self, numbers: range) -> None:
        """Store customers, each with a server of its own name that a probe proved."""
        with self.hub.write() as transaction:
            for number in numbers:
                tsp_id = f"C{number}"
                customers.add(transaction, Customer(tsp_id, CustomerKind.ISSUER, "Bank", transaction.now))
                endpoint = Endpoint(f"c{number}.localhost", self.port, "")
                endpoints.put(transaction, tsp_id, endpoint)
                endorsed = parse_chain(self.files[min(number, _CALLED - 1)].chain.read_bytes())
                chains.decide(transaction, chains.add(transaction, tsp_id, endorsed), ChainState.ENDORSED)
        with self.hub.write() as transaction:
            for number in numbers:
                proved = ProbeFact(f"c{number}.localhost:{self.port}", transaction.now, ok=True, seen="-")
                endpoints.add_probe(transaction, f"C{number}", proved)

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Run the hub; yield its Envoy as the egress."""
        process = BothwaysProcess(["hub", "run", "--directory", str(self.hub.directory)], self.directory / "hub.log")
        try:
            process.next_line(_READY)
            status = control(self.hub, "GET", "/status") or {}
            yield Server("Bothways", self.hub.settings.egress_port, status["envoy"]["pid"])
        finally:
            process.stop()

    def setting(self) -> Setting:
        """Return what the bare Envoy is given: what the hub's has for the first customer."""
        client = hub_state(self.hub).client
        folder = self.directory / "bare"
        folder.mkdir()
        (folder / "tls.crt").write_text(client.certificate_pem)
        (folder / "tls.key").write_text(client.key_pem)
        (folder / "ca.crt").write_bytes(self.files[0].chain.read_bytes())
        return Setting(folder, "c0.localhost", free_ports(1)[0], self.port)


@contextmanager
def _place() -> Iterator[_Place]:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inbound, portal, egress_port, port = free_ports(4)
        settings = Settings(
            inbound_port=inbound,
            portal_port=portal,
            egress_port=egress_port,
            envoy_lifetime=EnvoyLifetime.HUB,
            danger_outbound_loopback=True,
            danger_outbound_any_port=True,
            scheduled_probes=False,
        )
        initialise(place / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        hub = stack.enter_context(open_hub(place / "hub", "bench"))
        (place / "client-ca.crt").write_text(contract(hub).trust.client_ca)
        made = _Place(hub, place, port)
        for number in range(_CALLED):
            (place / f"c{number}").mkdir()
            made.files.append(make_server_files(place / f"c{number}", f"Bank {number}", f"c{number}.localhost"))
        stack.enter_context(customers_servers(place, port, made.files))
        yield made
