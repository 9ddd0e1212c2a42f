"""Figure `rotation`: the hub's client certificate is replaced again and again under load, and calls that are lost.

Services call four customers without pause, through the hub's Envoy; the customers' servers are nginx, which keeps
connections open and wants a certificate of the Client CA. A call is lost that gets no answer, or another than 200. Each
rotation is in force at Envoy before the next begins.
"""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from bench.harness import Figure, figure
from bench.inbound import free_ports
from bench.peers import program
from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.rotation import rotate_client_certificate
from bothways.operations.settings import EnvoyLifetime, Settings
from bothways.outbound.probe import probe_customer
from bothways.registry.customer import CustomerKind

_CUSTOMERS = 4
_ROTATIONS = 1000
_SECONDS_MOST = 480.0
_READY = 60.0


def rotation() -> Iterator[Figure]:
    """Count the calls that are lost in a thousand rotations, or in as many as fit into eight minutes."""
    with _world() as hub, _Calls(hub) as calls:
        seconds: list[float] = []
        started = time.perf_counter()
        while len(seconds) < _ROTATIONS and time.perf_counter() - started < _SECONDS_MOST:
            began = time.perf_counter()
            rotate_client_certificate(hub)
            _apply(hub)
            seconds.append(time.perf_counter() - began)
    made = f"{len(seconds):,} rotations, {calls.answered:,} calls to {_CUSTOMERS} customers' servers meanwhile"
    yield figure("rotation", [float(calls.lost)], "lost", "0", made, met=lambda value: value == 0)
    what = f"one rotation, from the new key to the word that Envoy has it; {made}"
    yield figure("rotation-time", seconds, "s", "none; told beside the other", what, met=bool)


@dataclass(slots=True)
class _Calls:
    """Calls to each customer, without pause, each in a thread of its own."""

    hub: Hub
    answered: int = 0
    lost: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for number in range(_CUSTOMERS):
            thread = threading.Thread(target=self._call, args=(f"C{number}",))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self, tsp_id: str) -> None:
        settings = self.hub.settings
        connection = HTTPConnection(settings.egress_address, settings.egress_port, timeout=30)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/notify", headers={"Bothways-Customer": tsp_id})
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
            except (OSError, HTTPException):
                good = False
                connection.close()
            with self._lock:
                self.answered += good
                self.lost += not good
        connection.close()


@contextmanager
def _world() -> Iterator[Hub]:
    """Run a hub with customers whose servers run and whose outbound flows are established."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inbound, portal, egress, port = free_ports(4)
        settings = Settings(
            inbound_port=inbound,
            portal_port=portal,
            egress_port=egress,
            envoy_lifetime=EnvoyLifetime.HUB,
            danger_outbound_loopback=True,
            danger_outbound_any_port=True,
        )
        initialise(place / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        hub = stack.enter_context(open_hub(place / "hub", "bench"))
        (place / "client-ca.crt").write_text(contract(hub).trust.client_ca)
        files = []
        for number in range(_CUSTOMERS):
            (place / f"c{number}").mkdir()
            files.append(make_server_files(place / f"c{number}", f"Bank {number}", f"c{number}.localhost"))
        stack.enter_context(customers_servers(place, port, files))
        process = BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], place / "hub.log")
        stack.callback(process.stop)
        process.next_line(_READY)
        for number, each in enumerate(files):
            add_customer(hub, f"C{number}", CustomerKind.ISSUER, f"Bank {number}")
            set_endpoint(hub, f"C{number}", f"https://c{number}.localhost:{port}")
            endorse_chain(hub, submit_chain(hub, f"C{number}", each.chain.read_bytes()).id)
        _apply(hub)
        for number in range(_CUSTOMERS):
            if not (fact := probe_customer(hub, f"C{number}").fact).ok:
                raise RuntimeError(f"a customer's server does not answer: {fact.seen}")
        _apply(hub)
        yield hub


@contextmanager
def customers_servers(place: Path, port: int, files: list[ServerFiles]) -> Iterator[None]:
    """Run nginx as the servers of customers, `c0.localhost` the first; `client-ca.crt` in `place` is who may enter."""
    blocks = "".join(
        f"""server {{ listen 127.0.0.1:{port} ssl; server_name c{number}.localhost;
        ssl_certificate {each.certificate}; ssl_certificate_key {each.key};
        ssl_client_certificate {place}/client-ca.crt; ssl_verify_client on;
        keepalive_timeout 75; keepalive_requests 1000000; location / {{ return 200 "ok"; }} }}
        """
        for number, each in enumerate(files)
    )
    temporary = "".join(
        f"{kind}_temp_path {place}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (place / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/nginx.log;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ access_log off;\n"
        f"server_names_hash_max_size 4096; {temporary}\n{blocks} }}\n"
    )
    command = [program("nginx"), "-c", str(place / "nginx.conf"), "-e", str(place / "nginx.log")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _apply(hub: Hub) -> None:
    applied = control(hub, "POST", "/apply")
    if not applied or not applied["in_force"]:
        raise RuntimeError(f"a change is not in force: {applied}")
