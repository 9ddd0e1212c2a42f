"""Two control planes on one PostgreSQL, and three remote nodes that are told of both: what is killed in `failover`.

Two nodes have their agent, the third is a bare Envoy. Each part is a process of its own, with a directory of its own,
as on machines of their own; what goes between them is TLS over loopback.
"""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import psycopg
from tests.postgresql import wheel

from bench.inbound import TSP_ID, enrolled, free_ports
from bothways.cli.opening import control
from bothways.contract.document import Environment
from bothways.dataplane.child import ending_with
from bothways.dataplane.envoy import find_envoy
from bothways.dataplane.envoy_state import state_of
from bothways.demo.echo import echo_service
from bothways.demo.process import BothwaysProcess
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.operations.services import add_service, grant_service
from bothways.operations.settings import EnvoyLifetime, Settings, render_settings
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.registry.node import Binding
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke
from bothways.xds.state import Address

_SECONDS = 90.0
_NODES = 3
_HERE = "127.0.0.1"


def until(look: Callable[[], Any], what: str) -> Any:
    """Look until there is something, and return it. Raises `RuntimeError` with `what` after a minute and a half."""
    end = time.monotonic() + _SECONDS
    while not (seen := look()):
        if time.monotonic() > end:
            raise RuntimeError(what)
        time.sleep(0.02)
    return seen


class Postgres:
    """A PostgreSQL of its own, that can be killed with all its processes; what was committed is there again."""

    def __init__(self, place: Path) -> None:
        self._server = wheel().get_server(place, cleanup_mode="stop")
        with psycopg.connect(host=str(place), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE hub TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        self.url = f"postgresql://postgres@/hub?host={quote(str(place))}"

    def kill(self) -> None:
        """Kill the server and all that serves connections, each with `kill -9`, and wait until they are gone."""
        process = self._server.get_postmaster_info().process
        everything = [process, *process.children(recursive=True)]
        for each in everything:
            each.kill()
        for each in everything:
            each.wait(_SECONDS)

    def start(self) -> None:
        """Start it again on what is on the disk."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """End it."""
        self._server.cleanup()


@dataclass
class Plane:
    """A control plane: its directory, opened, and its process."""

    hub: Hub
    process: BothwaysProcess
    api: httpx2.Client

    def kill(self) -> None:
        """Kill it with `kill -9`, and its own Envoy with it."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()

    def start(self) -> None:
        """Start it again, and wait until it serves."""
        self.process = _hub_process(self.hub)
        self.process.next_line(_SECONDS)

    def stop(self) -> None:
        """End it in good order."""
        self.process.stop()

    def post(self, path: str, body: dict[str, Any]) -> int:
        """Ask its API for a change; return the status of the answer. Raises `httpx2.HTTPError` if there is none."""
        # Nobody has put the portal's name into DNS.
        name = {"sni_hostname": urlsplit(self.hub.terms.portal).hostname}
        return self.api.post(path, json=body, extensions=name).status_code

    def status(self) -> dict[str, Any]:
        """Return what it says of itself and of all nodes."""
        return control(self.hub, "GET", "/status") or {}

    def settled(self) -> bool:
        """Tell whether it says that every node is connected once, and has all that is published."""
        nodes = [each for each in self.status().get("nodes", ()) if each["node"].startswith("eu-")]
        return len(nodes) == _NODES and all(each["connected"] and each["settled"] for each in nodes)


@dataclass
class Node:
    """A remote node; without `agent`, Envoy alone. It is where a customer calls: `tls` and `host` are for `Load`."""

    name: str
    directory: Path
    port: int
    agent: bool
    host: str
    server_ca: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start the agent, or the Envoy."""
        bare = [str(find_envoy()), "-c", "envoy.json", "--disable-hot-restart", "--concurrency", "1"]
        agent = [sys.executable, "-m", "bothways", "node", "run", "--directory", str(self.directory)]
        with self.directory.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                ending_with(os.getpid(), agent if self.agent else [*bare, "--log-level", "warning"]),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill_envoy(self) -> None:
        """Kill Envoy with `kill -9`; an agent starts it again, and without one it is started here."""
        if self.agent:
            os.kill(until(lambda: state_of(self.directory / "run")["pid"], f"{self.name} has no Envoy"), signal.SIGKILL)
            return
        assert self.process is not None  # noqa: S101 - it was started
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_SECONDS)

    def context(self, spoke: Spoke) -> ssl.SSLContext:
        """Return a TLS context that trusts the hub, and has the spoke's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.server_ca)
        context.load_cert_chain(spoke.certificate_file, spoke.key_file)
        return context

    def tls(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Shake hands with this node's endpoint."""
        plain = socket.create_connection((_HERE, self.port), 10)
        try:
            return context.wrap_socket(plain, server_hostname=self.host.partition(":")[0])
        except OSError:
            plain.close()
            raise

    def serves(self, spoke: Spoke, path: str, wanted: int = HTTPStatus.OK) -> bool:
        """Tell whether a request over a new connection is answered with this status."""
        try:
            with self.tls(self.context(spoke)) as line:
                line.settimeout(10)
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode())
                return line.recv(65536).split(b" ", 2)[1:2] == [b"%d" % wanted]
        except OSError:
            return False


@dataclass
class Fleet:
    """All of it, with a customer that may use the service `tokens`; its `spoke` has the certificate."""

    postgres: Postgres
    planes: list[Plane]
    nodes: list[Node]
    spoke: Spoke
    upstream: str


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Run all of it until each node has all, and the customer's calls are answered at each."""
    with ExitStack() as stack:
        # Short, for unix sockets have short names.
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-")))
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)))
        postgres = stack.enter_context(closing(Postgres(data)))
        upstream = f"http://{_HERE}:{stack.enter_context(echo_service())}"
        settings = plane_settings(postgres.url)
        initialise(place / "a", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        shutil.copytree(place / "a", place / "b")
        (place / "b" / "hub.toml").write_text(render_settings(plane_settings(postgres.url)))
        hubs = [stack.enter_context(open_hub(place / each, "bench")) for each in "ab"]
        add_service(hubs[0], Service("tokens", "/tokens", upstream))
        add_customer(hubs[0], TSP_ID, CustomerKind.ISSUER, "Bank")
        grant_service(hubs[0], "tokens", TSP_ID)
        spoke, _ = enrolled(hubs[0], place / "spoke")
        token = create_token(hubs[0], "changes", Role.OPERATOR)[1]
        # Not all begin at the same one.
        nodes = [
            node_of(hubs[:: 1 - 2 * (number % 2)], place / f"eu-{number + 1}", agent=number < _NODES - 1)
            for number in range(_NODES)
        ]
        planes = []
        for hub in hubs:
            plane = Plane(hub, _hub_process(hub), stack.enter_context(_api(hub, token)))
            stack.callback(plane.stop)
            planes.append(plane)
        for plane in planes:
            plane.process.next_line(_SECONDS)
        for node in nodes:
            node.start()
            stack.callback(node.stop)
        until(lambda: all(each.settled() for each in planes), "not every node is connected")
        made = Fleet(postgres, planes, nodes, spoke, upstream)
        _establish(made)
        yield made


def _establish(made: Fleet) -> None:
    """Have the customer call `/connectivity`, which opens its services, at each node."""
    for node in made.nodes:
        for path in ("/connectivity", "/tokens/first"):
            until(partial(node.serves, made.spoke, path), f"{node.name} does not serve {path}")


def plane_settings(database: str) -> Settings:
    """Return the settings of one more control plane on this machine, at ports of its own."""
    inbound, portal, egress, nodes, connectivity = free_ports(5)
    return Settings(
        database=database,
        inbound_port=inbound,
        portal_port=portal,
        egress_port=egress,
        nodes_address=_HERE,
        nodes_port=nodes,
        nodes_connectivity_port=connectivity,
        envoy_lifetime=EnvoyLifetime.HUB,
        danger_outbound_loopback=True,
        danger_outbound_any_port=True,
        scheduled_probes=False,
    )


def node_of(hubs: Sequence[Hub], directory: Path, *, agent: bool) -> Node:
    """Put a node on record, named as its directory, that is told of the control planes of these hubs in their order."""
    (inbound, egress), told = free_ports(2), [each.settings for each in hubs]
    bootstrap_node(
        hubs[0],
        directory.name,
        directory,
        [Address(_HERE, each.nodes_port) for each in told],
        [Address(_HERE, each.nodes_connectivity_port) for each in told],
        Binding(_HERE, inbound, _HERE, egress),
        Address(_HERE, inbound),
    )
    host = urlsplit(hubs[0].terms.endpoint).netloc
    return Node(directory.name, directory, inbound, agent, host, contract(hubs[0]).trust.server_ca)


def _api(hub: Hub, token: str) -> httpx2.Client:
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    url = f"https://{_HERE}:{hub.settings.portal_port}/api/v1"
    headers = {"Authorization": f"Bearer {token}", "Host": urlsplit(hub.terms.portal).netloc}
    # What was open to one that was killed is of no use.
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.Client(base_url=url, verify=context, headers=headers, timeout=30, trust_env=False, limits=limits)


def _hub_process(hub: Hub) -> BothwaysProcess:
    return BothwaysProcess(["hub", "run", "--directory", str(hub.directory)], hub.directory.with_suffix(".log"))
