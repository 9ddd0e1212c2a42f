"""Customers' servers are called from a fleet: each node is asked for the verdict, and each changes its certificate."""

import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import free_ports, local_settings
from tests.wire.conftest import World
from tests.wire.test_nodes import RemoteEnvoy, remote_envoy, settled
from tests.wire.test_rotation import Calls, established, fingerprint_of
from tests.wire.witnesses import Python

from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.operations.customers import show_customer, suspend_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound.callers import make_callers
from bothways.outbound.calls import call_by_nodes, prepare_calls
from bothways.outbound.probe import probe_customer
from bothways.xds.names import probe_host

pytestmark = pytest.mark.envoy

ROTATIONS = 10
EMBEDDED = "ppr-embedded"


@pytest.fixture(scope="module")
def world(make_running: Callable[..., World]) -> World:
    nodes_port, connectivity_port = free_ports(2)
    return make_running(replace(local_settings(), nodes_port=nodes_port, nodes_connectivity_port=connectivity_port))


@pytest.fixture(scope="module")
def fleet(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RemoteEnvoy, RemoteEnvoy]]:
    with ExitStack() as stack:
        place = tmp_path_factory.mktemp("nodes")
        first, second = (stack.enter_context(remote_envoy(world.hub, each, place / each)) for each in ("eu-1", "eu-2"))
        settled(world.hub, "eu-1", "eu-2", EMBEDDED)
        yield first, second


@pytest.fixture
def files(tmp_path: Path, request: pytest.FixtureRequest) -> ServerFiles:
    return make_server_files(tmp_path, "Bank", f"{tsp_id_of(request)}.localhost")


@pytest.fixture
def server(world: World, files: ServerFiles, request: pytest.FixtureRequest) -> Iterator[str]:
    """A customer whose server is called by every node; yields its tspId."""
    running = Python(files, contract(world.hub).trust.client_ca)
    with running.running():
        established(world, tsp_id := tsp_id_of(request), files, running.port)
        settled(world.hub, "eu-1", "eu-2", EMBEDDED)
        yield tsp_id


def tsp_id_of(request: pytest.FixtureRequest) -> str:
    return f"t{sum(request.node.name.encode())}"


def test_a_probe_asks_every_node_to_call_the_customer(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], server: str
) -> None:
    del fleet
    said: list[str] = []
    probe = probe_customer(world.hub, server, say=lambda stage, text: said.append(f"{stage} {text}"))
    assert (probe.fact.ok, probe.findings) == (True, ())
    calls = probe.document()["evidence"]["calls"]
    assert [(each["node"], each["outcome"]) for each in calls] == [
        (EMBEDDED, "answered"),
        ("eu-1", "answered"),
        ("eu-2", "answered"),
    ]
    assert all("TLSv1.3 with CN=" in each["said"] for each in calls)
    assert [each for each in said if each.startswith("call eu-1: TLSv1.3")] != []


def test_a_node_that_hangs_is_named_and_holds_up_no_other(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], server: str
) -> None:
    assert prepare_calls(world.hub, server)
    os.kill(fleet[1].process.pid, signal.SIGSTOP)
    try:
        seen = {each.node: each for each in call_by_nodes(world.hub, server, make_callers(world.hub).prober)}
        assert (seen["eu-2"].away, f":{fleet[1].inbound_port}" in seen["eu-2"].tried) == (True, True)
    finally:
        os.kill(fleet[1].process.pid, signal.SIGCONT)
    assert (seen["eu-1"].failed, seen["eu-1"].away) == (False, False)


def test_no_node_is_asked_for_a_customer_of_whose_server_it_is_told_nothing(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], server: str
) -> None:
    del fleet
    suspend_customer(world.hub, server, "tested")
    settled(world.hub, "eu-1", "eu-2", EMBEDDED)
    probe = probe_customer(world.hub, server)
    assert [(each.id, "suspended" in each.message) for each in probe.findings] == [("PROBE-CALL-01", True)]
    assert [each["outcome"] for each in probe.document()["evidence"]["calls"]] == ["not asked"]


@pytest.mark.parametrize("whose", ["no", "a customer's", "another node's", "its own", "the control plane's at ADS"])
def test_nobody_but_a_probe_of_the_hub_has_a_node_call_a_customer(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], whose: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=contract(world.hub).trust.server_ca)
    if whose == "a customer's":
        spoke, _ = world.certified()
        context.load_cert_chain(spoke.certificate_file, spoke.key_file)
    elif whose == "the control plane's at ADS":
        context.load_cert_chain(control_plane_pair(world))
    elif whose != "no":
        place = fleet[whose == "another node's"].directory
        context.load_cert_chain(place / "tls.crt", place / "tls.key")
    assert answer(world, fleet[0], context) == b""


def test_a_probe_of_the_hub_gets_through_where_they_do_not(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy]
) -> None:
    prober = make_callers(world.hub).prober
    assert prober is not None
    assert answer(world, fleet[0], prober).startswith(b"HTTP/1.1 404")


def answer(world: World, node: RemoteEnvoy, context: ssl.SSLContext) -> bytes:
    """Return the beginning of what the node answers to a request for a call to a customer; nothing if TLS ends it."""
    host = probe_host(node.name, world.host.partition(":")[0])
    try:
        with (
            socket.create_connection(("127.0.0.1", node.inbound_port), 10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            secured.sendall(b"GET / HTTP/1.1\r\nHost: probe\r\nBothways-Customer: nobody\r\n\r\n")
            return secured.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def control_plane_pair(world: World) -> Path:
    control_plane = hub_state(world.hub).control_plane
    assert control_plane is not None
    path = world.directory / "control-plane.pem"
    path.write_text(control_plane.pair.certificate_pem + control_plane.pair.key_pem)
    return path


def test_a_rotation_is_in_force_at_every_node_when_it_is_said_to_be_and_loses_no_call(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], server: str
) -> None:
    with ExitStack() as stack:
        everywhere = [
            stack.enter_context(Calls(world, (server,), port))
            for port in (0, fleet[0].egress_port, fleet[1].egress_port)
        ]
        for each in everywhere:
            each.wait_for_more(3)
        for _ in range(ROTATIONS):
            rotate_client_certificate(world.hub)
            world.apply()
            for each in everywhere:
                # One is perhaps under way; the one after it begins after every node has confirmed.
                each.wait_for_more(2)
                assert each.bodies(server)[-1] == fingerprint_of(world)
    assert [each.lost for each in everywhere] == [[], [], []]
    assert show_customer(world.hub, server).assessment.outbound.state == "established"
