"""Remote Envoys over real mutual TLS: they serve what the embedded one serves, and only those on record are let in."""

import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from envoy.service.discovery.v3 import discovery_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from tests.conftest import free_ports, local_settings, running
from tests.wire.conftest import ISSUER, Line, World

from bothways.cli.opening import control, control_text
from bothways.dataplane.child import ending_with
from bothways.dataplane.envoy import find_envoy
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.certificates import revoke_certificate, show_certificate
from bothways.operations.closure import reopen_endpoint, shut_endpoint
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, sign_for_hub
from bothways.operations.nodes import list_nodes, withdraw_node
from bothways.operations.observations import list_observations
from bothways.operations.services import add_service, grant_service, withdraw_service
from bothways.operations.settings import Settings
from bothways.pki.revocation import RevocationReason
from bothways.registry.node import Binding
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke
from bothways.store.authorities import Role
from bothways.xds.names import CLUSTER_TYPE
from bothways.xds.state import Address

pytestmark = pytest.mark.envoy

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
SECONDS = 20.0


@dataclass(frozen=True)
class RemoteEnvoy:
    """A real Envoy in a directory of its own, as another machine would have it."""

    name: str
    directory: Path
    inbound_port: int
    egress_port: int
    process: "subprocess.Popen[bytes]"

    def open(self, world: World, spoke: Spoke) -> Line:
        there = replace(
            world, hub=replace(world.hub, settings=replace(world.hub.settings, inbound_port=self.inbound_port))
        )
        return Line(there.tls(world.context(spoke)), world.host)

    def admin(self, path: str) -> str:
        """Ask Envoy itself."""

        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            line.connect(str(self.directory / "admin.sock"))
            connection = HTTPConnection("admin")
            connection.sock = line
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def counters(self) -> dict[str, int]:
        """Return how much of its configuration was added, changed, removed or loaded again, ever."""
        lines = (each.rpartition(": ") for each in self.admin("/stats").splitlines())
        wanted = re.compile(
            r"(cluster_manager.cluster|listener_manager.listener)_(added|modified|updated|removed)"
            r"|http.(inbound|egress).rds.*.(config_reload|update_success)"
            r"|sds.*.update_success"
        )
        return {name: int(value) for name, _, value in lines if wanted.fullmatch(name)}

    def counter(self, name: str) -> int:
        [line] = [each for each in self.admin(f"/stats?filter=^{name}$").splitlines() if each]
        return int(line.rpartition(": ")[2])


@contextmanager
def remote_envoy(hub: Hub, name: str, directory: Path, inbound_port: int = 0) -> Iterator[RemoteEnvoy]:
    ports = free_ports(2)
    binding = Binding("127.0.0.1", inbound_port or ports[0], "127.0.0.1", ports[1])
    bootstrap(hub, name, directory, binding)
    with started(name, directory, binding) as envoy:
        yield envoy


def bootstrap(hub: Hub, name: str, directory: Path, binding: Binding | None = None) -> None:
    settings = hub.settings
    bootstrap_node(
        hub,
        name,
        directory,
        [Address("127.0.0.1", settings.nodes_port)],
        [Address("127.0.0.1", settings.nodes_connectivity_port)],
        binding,
        Address("127.0.0.1", binding.inbound_port) if binding else None,
    )
    control(hub, "POST", "/apply")


@contextmanager
def started(name: str, directory: Path, binding: Binding) -> Iterator[RemoteEnvoy]:
    command = [
        str(find_envoy()),
        "-c",
        "envoy.json",
        "--disable-hot-restart",
        "--log-level",
        "warning",
        "--concurrency",
        "1",
    ]
    with (directory / "envoy.log").open("ab") as log:
        process = subprocess.Popen(ending_with(os.getpid(), command), cwd=directory, stdout=log, stderr=log)
    try:
        yield RemoteEnvoy(name, directory, binding.inbound_port, binding.egress_port, process)
    finally:
        process.terminate()
        process.wait(SECONDS)


def nodes(hub: Hub) -> dict[str, list[dict[str, Any]]]:
    status = control(hub, "GET", "/status")
    assert status is not None
    found: dict[str, list[dict[str, Any]]] = {}
    for each in status["nodes"]:
        found.setdefault(each["node"], []).append(each)
    return found


def until(look: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + SECONDS
    while not (seen := look()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return seen


def settled(hub: Hub, *names: str) -> None:
    def look() -> bool:
        found = nodes(hub)
        return all(name in found and all(each["settled"] for each in found[name]) for name in names)

    until(look, f"{names} did not settle: {nodes(hub)}")


def with_nodes() -> Settings:
    """Return settings for a hub that lets remote nodes in."""
    nodes_port, connectivity_port = free_ports(2)
    return replace(local_settings(), nodes_port=nodes_port, nodes_connectivity_port=connectivity_port)


@pytest.fixture(scope="module")
def world(make_running: Callable[..., World]) -> World:
    nodes_port, connectivity_port = free_ports(2)
    return make_running(replace(local_settings(), nodes_port=nodes_port, nodes_connectivity_port=connectivity_port))


@pytest.fixture(scope="module")
def fleet(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RemoteEnvoy, RemoteEnvoy]]:
    """Two remote nodes, connected and up to date."""
    with ExitStack() as stack:
        place = tmp_path_factory.mktemp("nodes")
        first, second = (stack.enter_context(remote_envoy(world.hub, each, place / each)) for each in ("eu-1", "eu-2"))
        settled(world.hub, "eu-1", "eu-2", "ppr-embedded")
        yield first, second


def test_all_nodes_serve_the_same_customers_and_a_revocation_reaches_all(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy]
) -> None:
    spoke, serial = world.certified()
    world.apply()
    # The first call of this customer comes to a remote node, and opens the service at all of them.
    with fleet[0].open(world, spoke) as line:
        status, body = line.ask("/connectivity")
        assert (status, b'"established"' in body) == (200, True)
    with ExitStack() as stack:
        lines = [
            stack.enter_context(each)
            for each in (world.open(spoke), fleet[0].open(world, spoke), fleet[1].open(world, spoke))
        ]
        assert [line.ask("/tokens")[0] for line in lines] == [200, 200, 200]
        assert [line.ask("/vault")[0] for line in lines] == [403, 403, 403]
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert [line.ask("/tokens")[0] for line in lines] == [403, 403, 403]
        assert [line.ask("/connectivity")[0] for line in lines] == [403, 403, 403]


def test_strangers_are_seen_to_be_refused_at_each_node(world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy]) -> None:
    def seen() -> dict[str, tuple[str, str]]:
        found = ((name, each["canary"]) for name, [each] in nodes(world.hub).items() if each["canary"])
        return {name: (each["outcome"], each["address"]) for name, each in found}

    own = f"127.0.0.1:{world.hub.settings.inbound_port}"
    wanted = {"ppr-embedded": ("refused", own)}
    wanted |= {each.name: ("refused", f"127.0.0.1:{each.inbound_port}") for each in fleet}
    until(lambda: seen() == wanted, f"the canary saw something else: {seen()}")


def test_a_node_that_refuses_is_shown_and_harms_no_other(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], tmp_path: Path
) -> None:
    spoke, _ = world.connected()
    with remote_envoy(world.hub, "eu-3", tmp_path / "eu-3", fleet[0].inbound_port):
        [refused] = until(
            lambda: [each for each in nodes(world.hub).get("eu-3", ()) if each["refused"]], "nothing was refused"
        )
        assert (refused["settled"], "in use" in str(refused["refused"])) == (False, True)
        grant_service(world.hub, "vault", ISSUER)
        applied = control(world.hub, "POST", "/apply")
        assert applied is not None
        assert applied["in_force"] is False
        settled(world.hub, "eu-1", "eu-2", "ppr-embedded")
        for each in fleet:
            with each.open(world, spoke) as line:
                assert line.ask("/vault")[0] == 200
        metrics = control_text(world.hub, "/metrics") or ""
        assert 'bothways_node_refused{namespace="PPR",node="eu-3"} 1.0' in metrics
        assert 'bothways_node_refused{namespace="PPR",node="eu-1"} 0.0' in metrics
        withdraw_node(world.hub, "eu-3", "tested")
        withdraw_service(world.hub, "vault", ISSUER, "tested")
        world.apply()


def test_why_a_call_to_a_remote_node_failed_is_told(world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy]) -> None:
    spoke, serial = world.connected()
    shown = show_certificate(world.hub, serial).fingerprint
    with fleet[1].open(world, spoke) as line:
        assert line.ask("/vault")[0] == 403

    def observed() -> list[str]:
        return [each.finding.id for each in list_observations(world.hub, ISSUER) if each.fingerprint == shown]

    assert until(observed, "nothing was observed") == ["INBOUND-ACCESS-02"]


def test_nobody_but_a_node_on_record_tells_of_calls(world: World, tmp_path: Path) -> None:
    bootstrap(world.hub, "us-4", tmp_path)
    pair = ((tmp_path / "tls.key").read_bytes(), (tmp_path / "tls.crt").read_bytes())
    assert tell(world.hub, pair) == grpc.StatusCode.OK
    withdraw_node(world.hub, "us-4", "tested")
    control(world.hub, "POST", "/apply")
    assert tell(world.hub, pair) == grpc.StatusCode.PERMISSION_DENIED


def test_a_withdrawn_node_is_cut_off_at_once_and_gets_nothing_more(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy], tmp_path: Path
) -> None:
    del fleet
    with remote_envoy(world.hub, "eu-4", tmp_path / "eu-4") as envoy:
        settled(world.hub, "eu-4")
        spoke, serial = world.connected()
        with envoy.open(world, spoke) as line:
            assert line.ask("/tokens")[0] == 200
        withdraw_node(world.hub, "eu-4", "tested")
        world.apply()
        assert "eu-4" not in nodes(world.hub)
        until(lambda: envoy.counter("control_plane.connected_state") == 0, "the stream is still open")
        # It comes again, and is turned away: what it is not sent, it does not have.
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        with envoy.open(world, spoke) as line:
            assert line.ask("/tokens")[0] == 200
            # And its customers' calls to the control plane are turned away as well.
            assert line.ask("/connectivity")[0] == 403
        assert envoy.process.poll() is None


@pytest.mark.parametrize("whose", ["a customer's", "the hub's own client", "no"])
def test_a_stranger_does_not_get_through_the_handshake(world: World, tmp_path: Path, whose: str) -> None:
    pair = None
    if whose == "a customer's":
        spoke, _ = world.certified()
        pair = (spoke.key_file.read_bytes(), spoke.certificate_file.read_bytes())
    elif whose == "the hub's own client":
        own = hub_state(world.hub).client
        pair = (own.key_pem.encode(), own.certificate_pem.encode())
    assert stream(world.hub, pair) == grpc.StatusCode.UNAVAILABLE
    control_plane = hub_state(world.hub).control_plane
    assert control_plane is not None
    context = ssl.create_default_context(cadata=control_plane.anchors.pem)
    if pair is not None:
        (tmp_path / "pair.pem").write_bytes(pair[0] + pair[1])
        context.load_cert_chain(tmp_path / "pair.pem")
    assert connectivity(world.hub, context) is None


def test_a_node_is_let_in_by_its_own_certificate_and_under_its_own_name(world: World, tmp_path: Path) -> None:
    bootstrap(world.hub, "us-1", tmp_path / "us-1")
    pair = ((tmp_path / "us-1" / "tls.key").read_bytes(), (tmp_path / "us-1" / "tls.crt").read_bytes())
    assert stream(world.hub, pair, "us-1") == grpc.StatusCode.OK
    assert stream(world.hub, pair, "eu-1") == grpc.StatusCode.PERMISSION_DENIED
    assert stream(world.hub, pair, "") == grpc.StatusCode.PERMISSION_DENIED
    assert stream(world.hub, pair, "us-1", "eu-1") == grpc.StatusCode.PERMISSION_DENIED
    withdraw_node(world.hub, "us-1", "tested")
    control(world.hub, "POST", "/apply")
    assert stream(world.hub, pair) == grpc.StatusCode.PERMISSION_DENIED
    # Of the same name again: what the withdrawn one had opens nothing.
    bootstrap(world.hub, "us-1", tmp_path / "again")
    assert stream(world.hub, pair) == grpc.StatusCode.PERMISSION_DENIED
    withdraw_node(world.hub, "us-1", "tested")
    control(world.hub, "POST", "/apply")


def test_connectivity_is_answered_for_nodes_on_record_alone(world: World, tmp_path: Path) -> None:
    _, serial = world.connected()
    shown = show_certificate(world.hub, serial).fingerprint or ""
    identity = {"Bothways-Customer": ISSUER, "Bothways-Certificate": shown}
    bootstrap(world.hub, "us-2", tmp_path)
    context = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    with node_page(world.hub, context) as connection:
        connection.request("GET", "/connectivity", headers=identity)
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:1]) == (200, b"{")
        withdraw_node(world.hub, "us-2", "tested")
        control(world.hub, "POST", "/apply")
        # On the connection that is open.
        connection.request("GET", "/connectivity", headers=identity)
        assert connection.getresponse().status == 403


def test_a_renewed_certificate_of_the_control_plane_is_shown_at_once(world: World, tmp_path: Path) -> None:
    bootstrap(world.hub, "us-3", tmp_path)
    context = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    context.set_alpn_protocols(["h2", "http/1.1"])

    def shown() -> set[int]:
        serials = set()
        for port in (world.hub.settings.nodes_port, world.hub.settings.nodes_connectivity_port):
            with (
                socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=world.hub.control_plane_name) as secured,
            ):
                der = secured.getpeercert(binary_form=True)
                serials.add(x509.load_der_x509_certificate(der or b"").serial_number)
        return serials

    before = shown()
    with world.hub.write() as transaction:
        renewed = int(sign_for_hub(world.hub, transaction, Role.NODE), 16)
    control(world.hub, "POST", "/apply")
    assert shown() == {renewed}
    assert before != {renewed}
    withdraw_node(world.hub, "us-3", "tested")
    control(world.hub, "POST", "/apply")


def test_an_endpoint_that_is_shut_is_shut_at_every_node_and_opened_again(
    world: World, fleet: tuple[RemoteEnvoy, RemoteEnvoy]
) -> None:
    spoke, _ = world.connected()
    shut_endpoint(world.hub, "a stranger was let in")
    world.apply()
    for each in fleet:
        with pytest.raises(ConnectionRefusedError):
            each.open(world, spoke)
    reopen_endpoint(world.hub)
    world.apply()
    for each in fleet:
        with each.open(world, spoke) as line:
            assert line.ask("/tokens")[0] == 200


@pytest.fixture
def settings() -> Settings:
    return with_nodes()


def test_a_control_plane_that_restarts_finds_its_nodes_again_and_sends_nothing_that_they_have(
    hub: Hub, tmp_path: Path
) -> None:
    place = tmp_path / "eu-1"
    with ExitStack() as stack:
        with running(hub):
            envoy = stack.enter_context(remote_envoy(hub, "eu-1", place))
            settled(hub, "eu-1")
            add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
            control(hub, "POST", "/apply")
            settled(hub, "eu-1")
        before = envoy.counters()
        assert before["cluster_manager.cluster_added"] >= 3
        with running(hub):
            settled(hub, "eu-1")
            assert envoy.counters() == before
            # One that was broken off as it began is told of for a moment.
            [node] = until(lambda: found if len(found := nodes(hub)["eu-1"]) == 1 else [], "it is there twice")
            assert (node["connected"], node["refused"]) == (True, {})
            [used] = [each["used_at"] for each in list_nodes(hub)[0]["certificates"]]
            assert used is not None
            # A renewal: the files are replaced where they are, and Envoy shows the new certificate from then on.
            bootstrap(hub, "eu-1", place)
        with running(hub):
            settled(hub, "eu-1")
            until(lambda: all(each["used_at"] for each in list_nodes(hub)[0]["certificates"]), "it was not shown")
            assert len(list_nodes(hub)[0]["certificates"]) == 2
            envoy.process.terminate()
            [away] = until(lambda: [each for each in nodes(hub)["eu-1"] if not each["connected"]], "it is still there")
            assert away["since"] is not None
            applied = control(hub, "POST", "/apply")
            assert applied is not None
            assert (applied["in_force"], applied["away"]) == (True, ["eu-1"])
            command = [sys.executable, "-m", "bothways", "hub", "status", "--directory", str(hub.directory)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
            assert done.returncode == 1
            assert "node eu-1: not connected since 20" in done.stdout
            assert "What is stored is not in force everywhere." in done.stderr


def tell(hub: Hub, pair: tuple[bytes, bytes]) -> grpc.StatusCode:
    """Send an empty batch of the access log; return what came of it."""

    async def run(channel: Any) -> grpc.StatusCode:
        request = logs_service_pb2.ExportLogsServiceRequest()
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            request_serializer=type(request).SerializeToString,
            response_deserializer=logs_service_pb2.ExportLogsServiceResponse.FromString,
        )
        call = export(request)
        return await call.code()

    return on_channel(hub, pair, run)


def on_channel(
    hub: Hub, pair: tuple[bytes, bytes] | None, run: Callable[[Any], Coroutine[Any, Any, grpc.StatusCode]]
) -> grpc.StatusCode:
    """Do something on a channel to where nodes come, with this certificate."""
    control_plane = hub_state(hub).control_plane
    assert control_plane is not None
    credentials = grpc.ssl_channel_credentials(control_plane.anchors.pem.encode(), *(pair or (None, None)))
    options = [("grpc.ssl_target_name_override", hub.control_plane_name)]

    async def connected() -> grpc.StatusCode:
        address = f"127.0.0.1:{hub.settings.nodes_port}"
        async with asyncio.timeout(SECONDS), grpc.aio.secure_channel(address, credentials, options) as channel:
            return await run(channel)

    return asyncio.run(connected())


def stream(hub: Hub, pair: tuple[bytes, bytes] | None, *names: str) -> grpc.StatusCode:
    """Ask for clusters under each of these names, one after the other; return how the stream ended."""

    async def run(channel: Any) -> grpc.StatusCode:
        call = channel.stream_stream(
            METHOD,
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        if not names:
            # Who is turned away before a word is not to be found writing: the library tells of that and no more.
            return await call.code()
        try:
            for name in names:
                request = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER_TYPE)
                request.node.id = name
                await call.write(request)
                # A second message of the same type is no question, and gets no answer but a refusal.
                answer = await call.read()
                if answer is grpc.aio.EOF:
                    return await call.code()
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF
            return await call.code()
        except grpc.aio.AioRpcError as error:
            return error.code()

    return on_channel(hub, pair, run)


@contextmanager
def node_page(hub: Hub, context: ssl.SSLContext) -> Iterator[HTTPConnection]:
    """Connect to where nodes reach `/connectivity`."""
    address = ("127.0.0.1", hub.settings.nodes_connectivity_port)
    with socket.create_connection(address, SECONDS) as plain:
        connection = HTTPConnection("control-plane")
        connection.sock = context.wrap_socket(plain, server_hostname=hub.control_plane_name)
        connection.auto_open = 0
        try:
            yield connection
        finally:
            connection.close()


def connectivity(hub: Hub, context: ssl.SSLContext) -> int | None:
    """Return the status of `/connectivity` for whoever has this context, None if TLS or the connection ends first."""
    try:
        with node_page(hub, context) as connection:
            connection.request("GET", "/connectivity")
            return connection.getresponse().status
    except (OSError, HTTPException):
        return None
