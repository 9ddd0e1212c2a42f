"""Envoy knows of a customer's server when somebody calls it, and of nobody else's; what changes loses no call."""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from tests.eventually import eventually_in_loop
from tests.wire.conftest import World, with_envoy
from tests.wire.servers import ServerPki, accepting, make_pki
from tests.wire.test_rotation import Calls
from tests.wire.test_rotation import python as served

from bothways.connectivity.facts import ProbeFact
from bothways.dataplane.admin import Admin
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.dataplane.load_report import Load, load_report_handler
from bothways.dataplane.on_demand import Second
from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.supervisor import ADMIN_SOCKET
from bothways.demo.customer_ca import make_server_files
from bothways.operations.chains import endorse_chain, submit_chain, withdraw_chain
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint, show_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.idle import calls_seen, let_go
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind
from bothways.xds import names
from bothways.xds.bootstrap import bootstrap
from bothways.xds.one_stream import over_one_stream
from bothways.xds.resource import resource_of
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import Address, Tracing
from bothways.xds.stream import DeltaStream
from bothways.xds.typed import any_of

pytestmark = pytest.mark.envoy

SECONDS = 30.0
# Plain HTTP: without it, each client reads all CAs of the system.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ONE, TWO = "D1", "D2"
CHANGES = 6


@dataclass
class Scene:
    """A hub with two customers whose servers are proved and run, and what its Envoy asked the control plane for."""

    hub: Hub
    asked: list[str]
    received: list[int]

    def call(self, tsp_id: str, body: bytes = b"") -> httpx2.Response:
        settings = self.hub.settings
        url = f"http://{settings.egress_address}:{settings.egress_port}/notify"
        with httpx2.Client(transport=httpx2.HTTPTransport(verify=_NO_TLS), timeout=SECONDS) as client:
            return client.post(url, content=body, headers={names.CUSTOMER_HEADER: tsp_id})

    def customers_asked_for(self) -> list[str]:
        return [found[0] for each in self.asked if (found := names.customer_of(each))]

    def beside_envoy(self, test: Callable[[AdsServer], Awaitable[None]], *also: Callable[[Any], Any]) -> None:
        async def settled(ads: AdsServer) -> None:
            async with asyncio.timeout(SECONDS):
                assert await ads.settled() is True
            await test(ads)

        asyncio.run(with_envoy(self.hub, current_snapshot(self.hub), settled, *also))


@pytest.fixture
def scene(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    asked, received = list[str](), list[int]()
    receive = DeltaStream.receive

    def recorded(self: DeltaStream, request: Any, snapshot: Snapshot) -> list[Any]:
        if request.type_url in {names.CLUSTER_TYPE, names.ON_DEMAND_TYPE}:
            asked.extend(request.resource_names_subscribe)
        return receive(self, request, snapshot)

    monkeypatch.setattr(DeltaStream, "receive", recorded)
    with ExitStack() as stack:
        for tsp_id in (ONE, TWO):
            (tmp_path / tsp_id).mkdir()
            pki = make_pki(tmp_path / tsp_id, contract(hub).trust.client_ca, f"{tsp_id.lower()}.localhost")
            port = stack.enter_context(receiving(pki, received))
            add_customer(hub, tsp_id, CustomerKind.ISSUER, "Bank")
            set_endpoint(hub, tsp_id, f"https://{tsp_id.lower()}.localhost:{port}")
            endorse_chain(hub, submit_chain(hub, tsp_id, pki.chain).id)
            proved = ProbeFact(show_endpoint(hub, tsp_id).address, hub.now(), ok=True, seen="TLSv1.3")
            record_probe(hub, tsp_id, proved)
        yield Scene(hub, asked, received)


@contextmanager
def receiving(pki: ServerPki, received: list[int]) -> Iterator[int]:
    """Run a customer's server that takes in the whole request, and notes how long its body was."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    context.load_verify_locations(pki.client_ca)
    context.verify_mode = ssl.CERT_REQUIRED

    def answer(plain: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured, secured.makefile("rb") as read:
            head = dict(line.lower().split(b": ", 1) for line in iter(read.readline, b"\r\n") if b": " in line)
            received.append(len(read.read(int(head[b"content-length"]))))
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with accepting(answer) as port:
        yield port


def loaded(ads: AdsServer) -> int:
    [node] = ads.nodes()
    return int(node["customers"])


def test_a_server_is_asked_for_by_its_first_call_and_an_unknown_one_never(scene: Scene) -> None:
    async def test(ads: AdsServer) -> None:
        for number in range(100):
            assert (await asyncio.to_thread(scene.call, f"unknown-{number}")).status_code == 404
        assert (scene.customers_asked_for(), loaded(ads)) == ([], 0)
        for _ in range(2):
            assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
        await eventually_in_loop(lambda: loaded(ads) == 1)
        assert scene.customers_asked_for() == [ONE]
        # The body of a call that waits is not lost, however large it is.
        body = b"x" * (1 << 20)
        assert (await asyncio.to_thread(scene.call, TWO, body)).status_code == 200
        assert (scene.customers_asked_for(), scene.received[-1]) == ([ONE, TWO], len(body))

    scene.beside_envoy(test)


def test_a_node_of_two_control_planes_is_served_where_its_first_stream_is(scene: Scene) -> None:
    run = scene.hub.run_directory

    async def test() -> None:
        servers = [AdsServer(run / f"{each}.sock", current_snapshot(scene.hub)) for each in "ab"]
        config = json.loads(bootstrap("node", str(run / "a.sock"), str(run / "admin.sock")))
        [ads] = [each for each in config["staticResources"]["clusters"] if each["name"] == names.ADS_CLUSTER]
        [both] = ads["loadAssignment"]["endpoints"]
        both["lbEndpoints"].append({"endpoint": {"address": {"pipe": {"path": str(run / "b.sock")}}}})
        (run / "envoy.json").write_text(json.dumps(config))
        for each in servers:
            await each.start()
        envoy = asyncio.create_task(EnvoyProcess(find_envoy(), run / "envoy.json", run / "envoy.log").run())
        try:
            async with asyncio.timeout(SECONDS):
                await eventually_in_loop(lambda: any(each.names() for each in servers))
                [here] = [each for each in servers if each.names()]
                assert await here.settled() is True
                # Envoy takes the two in turn, and so asks the other one first.
                assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
                await eventually_in_loop(lambda: loaded(here) == 1)
        finally:
            envoy.cancel()
            await asyncio.gather(envoy, return_exceptions=True)
            for each in servers:
                await each.stop()

    asyncio.run(test())


def test_an_egress_that_changes_goes_on_with_what_it_has_and_asks_on_one_second_stream(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Second] = []
    made = Second.__init__

    def counted(self: Second, *arguments: Any) -> None:
        begun.append(self)
        made(self, *arguments)

    monkeypatch.setattr(Second, "__init__", counted)
    last = current_snapshot(scene.hub)
    traced = replace(hub_state(scene.hub), tracing=Tracing(Address("127.0.0.1", 4317), "hub", 1.0))

    async def test(ads: AdsServer) -> None:
        # As an agent of an earlier release has it: all on one stream.
        ads.publish(over_one_stream(last))
        assert await ads.settled() is True
        assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
        assert begun == []
        for snapshot in (last, build_snapshot(traced), last):
            ads.publish(snapshot)
            assert await ads.settled() is True
            for each in (ONE, TWO):
                assert (await asyncio.to_thread(scene.call, each)).status_code == 200
        assert scene.customers_asked_for() == [ONE, TWO]
        await eventually_in_loop(lambda: loaded(ads) == 2)
        assert [each.over.is_set() for each in begun] == [False]

    scene.beside_envoy(test)


def test_a_server_that_is_changed_and_changed_back_is_called_each_time(scene: Scene) -> None:
    first = current_snapshot(scene.hub)
    set_endpoint(scene.hub, TWO, "https://elsewhere.localhost:8443")
    moved = show_endpoint(scene.hub, ONE)
    set_endpoint(scene.hub, ONE, f"https://{moved.host}:1")
    second = current_snapshot(scene.hub)

    async def test(ads: AdsServer) -> None:
        ads.publish(first)
        for _ in range(3):
            assert await ads.settled() is True
            assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
            ads.publish(second)
            assert await ads.settled() is True
            assert (await asyncio.to_thread(scene.call, ONE)).status_code == 404
            await eventually_in_loop(lambda: loaded(ads) == 0)
            ads.publish(first)
        # Envoy asks once in its life, and is sent what comes back.
        assert scene.customers_asked_for() == [ONE]

    scene.beside_envoy(test)


def changed(snapshot: Snapshot, tsp_id: str, change: Callable[[Any], None]) -> Snapshot:
    """Return the snapshot with another cluster for this customer's server."""
    clusters = snapshot.of(names.CLUSTER_TYPE)
    [name] = [each for each in clusters if (names.customer_of(each) or ("",))[0] == tsp_id]
    cluster = cluster_pb2.Cluster()
    assert clusters[name].packed.Unpack(cluster)
    change(cluster)
    more = {names.CLUSTER_TYPE: {**clusters, name: resource_of(cluster)}}
    return replace(snapshot, version="changed", resources={**snapshot.resources, **more})


def without_ca(cluster: Any) -> None:
    context = tls_pb2.UpstreamTlsContext()
    assert cluster.transport_socket.typed_config.Unpack(context)
    context.common_tls_context.validation_context.trusted_ca.inline_string = "no certificate"
    cluster.transport_socket.typed_config.CopyFrom(any_of(context))


def without_time(cluster: Any) -> None:
    cluster.connect_timeout.seconds = -1


@pytest.mark.parametrize(
    ("change", "refused", "finding"),
    [(without_ca, names.SECRET_TYPE, "EGRESS-HUB-03"), (without_time, names.CLUSTER_TYPE, "EGRESS-HUB-02")],
)
def test_a_server_that_envoy_refuses_is_shown_and_harms_no_other_customer(
    scene: Scene, make_ca: Callable[..., Any], change: Callable[[Any], None], refused: str, finding: str
) -> None:
    bad = changed(current_snapshot(scene.hub), ONE, change)
    another = certificate_pem(make_ca("Another root")[1]).encode()
    endorse_chain(scene.hub, submit_chain(scene.hub, ONE, another).id)
    mended = current_snapshot(scene.hub)

    async def test(ads: AdsServer) -> None:
        ads.publish(bad)
        assert await ads.settled() is True
        answer = await asyncio.to_thread(scene.call, ONE)
        assert (answer.status_code, answer.json()["finding"]) == (503, finding)
        # Other changes are in force, and the hub's Envoy counts as one that has what it needs.
        assert await ads.settled() is True
        await ads.confirmed()
        await eventually_in_loop(lambda: list(ads.nodes()[0]["refused"]) == [refused])
        assert ads.nodes()[0]["settled"] is True
        assert (await asyncio.to_thread(scene.call, TWO)).status_code == 200
        ads.publish(mended)
        assert await ads.settled() is True
        assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
        await eventually_in_loop(lambda: ads.nodes()[0]["refused"] == {})

    scene.beside_envoy(test)


def test_a_server_that_changes_again_and_again_loses_no_call(
    world: World, tmp_path: Path, make_ca: Callable[..., Any]
) -> None:
    another = certificate_pem(make_ca("Another root")[1]).encode()
    files = make_server_files(tmp_path, "Bank", "again.localhost")
    with served(world, "AGAIN", files), Calls(world, ("AGAIN",)) as calls:
        calls.wait_for_more(3)
        for _ in range(CHANGES):
            chain = submit_chain(world.hub, "AGAIN", another).id
            for change in (
                partial(endorse_chain, world.hub, chain),
                partial(withdraw_chain, world.hub, chain, "over"),
                # As if nobody had called it for long.
                partial(idle, world.hub, "AGAIN"),
            ):
                change()
                world.apply()
                calls.wait_for_more(2)
    assert calls.lost == []


def test_who_is_called_no_more_is_let_go_and_its_next_call_loads_it_again(scene: Scene) -> None:
    reports: list[dict[str, bool]] = []

    def take(loads: Iterable[Load]) -> None:
        reports.append({found[0]: each.called for each in loads if (found := names.customer_of(each.cluster))})

    async def test(ads: AdsServer) -> None:
        for tsp_id in (ONE, TWO):
            assert (await asyncio.to_thread(scene.call, tsp_id)).status_code == 200
        await eventually_in_loop(lambda: bool(reports) and reports[-1].keys() == {ONE, TWO})
        reports.clear()
        assert (await asyncio.to_thread(scene.call, TWO)).status_code == 200
        await eventually_in_loop(lambda: any(each.get(TWO) for each in reports))
        # Nobody called the other one, and each report says so.
        assert {each[ONE] for each in reports} == {False}
        idle(scene.hub, ONE)
        ads.publish(current_snapshot(scene.hub))
        assert await ads.settled() is True
        await eventually_in_loop(lambda: loaded(ads) == 1 and reports[-1].keys() == {TWO})
        assert scene.customers_asked_for() == [ONE, TWO]
        assert (await asyncio.to_thread(scene.call, ONE)).status_code == 200
        assert scene.customers_asked_for() == [ONE, TWO, ONE]

    scene.beside_envoy(test, partial(load_report_handler, take, every=0.1))


def idle(hub: Hub, tsp_id: str) -> None:
    """Have a customer let go, whom somebody called now, and nobody in the week after."""
    calls_seen(hub, [tsp_id], [])
    later = hub.now() + timedelta(days=hub.settings.idle_days)
    assert let_go(replace(hub, now=lambda: later)) == 1


def test_a_probe_leaves_nothing_that_only_it_has_called(world: World, tmp_path: Path) -> None:
    def is_loaded() -> bool:
        # What Envoy says, for what other tests have left goes away meanwhile, and makes every count a chance.
        clusters = asyncio.run(Admin(world.hub.run_directory / ADMIN_SOCKET).ask("GET", "/clusters"))
        return any(each.startswith("customer/SEEN/") for each in clusters.splitlines())

    with served(world, "SEEN", make_server_files(tmp_path, "Bank", "seen.localhost")):
        # Registered and proved, by a call through Envoy.
        assert not is_loaded()
        with Calls(world, ("SEEN",)) as calls:
            calls.wait_for_more(1)
    assert calls.lost == []
    assert is_loaded()
