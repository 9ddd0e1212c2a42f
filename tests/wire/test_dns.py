"""What a DNS server can do to the hub's Envoy: it changes its answers, fails, is silent, or leads inside."""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from operator import add
from pathlib import Path
from typing import Any

import httpx2
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2
from tests.conftest import free_ports
from tests.dns_server import DnsServer
from tests.hub_server import HubServer, hub_server
from tests.wire.conftest import with_envoy
from tests.wire.servers import make_pki, python

from bothways.connectivity.evidence import DnsSeen, Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint, show_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.idle import STALE_MOST, calls_seen, let_go_stale
from bothways.operations.services import add_service
from bothways.pki.chain import certificate_pem
from bothways.registry.addresses import refused_ranges
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.typed import any_of, extension, tcp

pytestmark = pytest.mark.envoy

# Far more than Envoy needs, and far less than the minute for which it would ask a DNS server that is silent.
SECONDS = 20.0
# Plain HTTP: without it, each client reads all CAs of the system.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
HOST, TTL = "callbacks.bank.test", 1


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A DNS server that hears every question, and answers none."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        yield server


@pytest.fixture
def customer(hub: Hub, issuer: str, make_ca: Callable[..., Any]) -> str:
    """A customer whose server has a name that only DNS knows."""
    proved(hub, issuer, "https://callbacks.bank.example:8443", certificate_pem(make_ca("Root")[1]).encode())
    return issuer


def proved(hub: Hub, tsp_id: str, url: str, chain: bytes) -> None:
    """Register a customer's server, on record as proved, so that services may call it."""
    set_endpoint(hub, tsp_id, url)
    endorse_chain(hub, submit_chain(hub, tsp_id, chain).id)
    record_probe(hub, tsp_id, ProbeFact(show_endpoint(hub, tsp_id).address, hub.now(), ok=True, seen="TLSv1.3"))


def client_of(hub: Hub) -> httpx2.Client:
    """Return a client of the hub's egress."""
    address = f"http://{hub.settings.egress_address}:{hub.settings.egress_port}"
    transport = httpx2.HTTPTransport(verify=_NO_TLS)
    return httpx2.Client(transport=transport, timeout=SECONDS, base_url=address)


def asking(snapshot: Snapshot, tsp_id: str, server: tuple[str, int]) -> Snapshot:
    """Return the snapshot with the customer's name asked of this DNS server, and not of the system's."""
    clusters = snapshot.of(names.CLUSTER_TYPE)
    [name] = [each for each in clusters if (names.customer_of(each) or ("",))[0] == tsp_id]
    cluster, dns = cluster_pb2.Cluster(), dns_cluster_pb2.DnsCluster()
    assert clusters[name].packed.Unpack(cluster)
    assert cluster.cluster_type.typed_config.Unpack(dns)
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig()
    assert dns.typed_dns_resolver_config.typed_config.Unpack(resolver)
    resolver.resolvers.append(tcp(*server))
    dns.typed_dns_resolver_config.CopyFrom(extension("envoy.network.dns_resolver.cares", resolver))
    cluster.cluster_type.typed_config.CopyFrom(any_of(dns))
    changed = {**snapshot.unasked(names.CLUSTER_TYPE), name: Resource(name, "asking", any_of(cluster))}
    return replace(snapshot, resources={**snapshot.resources, names.CLUSTER_TYPE: changed})


def test_a_silent_dns_server_holds_up_neither_the_endpoint_nor_other_changes_nor_other_customers(
    hub: Hub, customer: str, silent: socket.socket, tmp_path: Path
) -> None:
    def called(tsp_id: str) -> httpx2.Response:
        with client_of(hub) as client:
            return client.get("/", headers={names.CUSTOMER_HEADER: tsp_id})

    async def test(ads: AdsServer) -> None:
        async with asyncio.timeout(SECONDS):
            assert await ads.settled() is True
            call = asyncio.create_task(asyncio.to_thread(called, customer))
            assert b"callbacks" in await asyncio.get_running_loop().sock_recv(silent, 512)
            assert await ads.settled() is True
            _, writer = await asyncio.open_connection("127.0.0.1", hub.settings.inbound_port)
            writer.close()
            # Another customer's first call is over while the one still waits for its name.
            assert (await asyncio.to_thread(called, "other")).status_code == 200
            assert not call.done()
        add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
        ads.publish(asking(current_snapshot(hub), customer, silent.getsockname()))
        async with asyncio.timeout(SECONDS):
            await ads.sent()
            assert not call.done()
            assert await ads.settled() is True
            # The one call that waits for the name is told that it is the name, before Envoy waits no more.
            assert (await call).json()["finding"] == "EGRESS-DNS-01"

    add_customer(hub, "other", CustomerKind.ISSUER, "Bank")
    pki = make_pki(tmp_path, contract(hub).trust.client_ca, "other.localhost")
    with python(pki) as port:
        proved(hub, "other", f"https://other.localhost:{port}", pki.chain)
        asyncio.run(with_envoy(hub, asking(current_snapshot(hub), customer, silent.getsockname()), test))


def test_an_answer_that_leads_to_loopback_after_the_registration_reaches_nobody(
    hub: Hub, issuer: str, tmp_path: Path, dns_server: DnsServer
) -> None:
    strict = replace(hub, settings=replace(hub.settings, danger_outbound_loopback=False))
    host, calls = "rebound.bank.test", list[bytes]()
    pki = make_pki(tmp_path, contract(hub).trust.client_ca, host)

    def asked(wanted: int) -> str:
        """Ask until the status is this one, and return the answer."""
        deadline = time.monotonic() + SECONDS
        with client_of(hub) as client:
            while True:
                answer = client.get("/", headers={names.CUSTOMER_HEADER: issuer})
                if answer.status_code == wanted:
                    return answer.text
                assert (answer.status_code, time.monotonic() < deadline) == (503, True)

    async def test(ads: AdsServer) -> None:
        async with asyncio.timeout(SECONDS):
            assert await ads.settled() is True
        assert "no_healthy_upstream" in await asyncio.to_thread(asked, 503)
        # The name has no address until now; from now on, it is that of a server which would be believed.
        dns_server.records = {(host, "CNAME"): ["1 inside.test"], ("inside.test", "A"): ["1 127.0.0.1"]}
        assert "special-address" in await asyncio.to_thread(asked, 403)

    with python(pki, calls=calls) as port:
        proved(hub, issuer, f"https://{host}:{port}", pki.chain)
        asyncio.run(with_envoy(hub, asking(current_snapshot(strict), issuer, ("127.0.0.1", dns_server.port)), test))
    assert calls == []


def test_envoy_connects_to_no_address_of_any_special_range_whatever_dns_says(
    hub: Hub, customer: str, dns_server: DnsServer
) -> None:
    networks = [ipaddress.ip_network(each) for each in refused_ranges(loopback_allowed=False)]
    # First and last of each, and loopback as IPv6 and NAT64 write it.
    addresses = {
        str(each): f"a{number}.bank.test"
        for number, each in enumerate([end for each in networks for end in (each[0], each[-1])])
    } | {"::ffff:127.0.0.1": "mapped.bank.test", "64:ff9b::7f00:1": "nat64.bank.test"}
    dns_server.records = {(name, "AAAA" if ":" in each else "A"): [f"60 {each}"] for each, name in addresses.items()}
    state = hub_state(hub)
    [server] = state.customers
    assert server.tsp_id == customer
    called = {each: f"S{number}" for number, each in enumerate(addresses)}
    servers = [replace(server, tsp_id=called[each], host=name) for each, name in addresses.items()]
    snapshot = build_snapshot(replace(state, danger_outbound_loopback=False, customers=tuple(servers)))
    for each in servers:
        snapshot = asking(snapshot, each.tsp_id, ("127.0.0.1", dns_server.port))
    found = dict[str, object]()

    def call() -> None:
        with client_of(hub) as client:
            for address, tsp_id in called.items():
                answer = client.get("/", headers={names.CUSTOMER_HEADER: tsp_id}).json()
                found[address] = (answer["finding"], "special-address" in answer["reason"])

    async def test(ads: AdsServer) -> None:
        async with asyncio.timeout(SECONDS):
            assert await ads.settled() is True
        await asyncio.to_thread(call)

    asyncio.run(with_envoy(hub, snapshot, test))
    assert found == dict.fromkeys(addresses, ("EGRESS-ADDRESS-01", True))


@dataclass
class Scene:
    """A customer's server whose name is in our DNS, two servers that may be it, and an Envoy that calls.

    `publish` sends Envoy what is stored.
    """

    tsp_id: str
    publish: Callable[[], object]
    dns: DnsServer
    old: HubServer
    new: HubServer
    client: httpx2.Client

    def call(self) -> int:
        headers = {names.CUSTOMER_HEADER: self.tsp_id}
        return self.client.get("/connectivity", headers=headers).status_code

    def call_until(self, true: Callable[[], bool]) -> float:
        """Call again and again until something is true; each call has to succeed. Return the seconds that it took."""
        started = time.monotonic()
        while not true():
            assert time.monotonic() - started < 2 * SECONDS
            assert self.call() == 200
            time.sleep(0.02)
        return time.monotonic() - started

    def call_until_answered(self, status: int) -> None:
        started = time.monotonic()
        while self.call() != status:
            assert time.monotonic() - started < SECONDS
            time.sleep(0.02)


Play = Callable[[Callable[[Scene], None]], None]


@pytest.fixture
def play(hub: Hub, issuer: str, tmp_path: Path, dns_server: DnsServer) -> Iterator[Play]:
    """Run a test in which the customer's server is the old one of two, at 127.0.0.1; the new is at 127.0.0.2."""
    client_ca, [port] = contract(hub).trust.client_ca, free_ports(1)
    pki = make_pki(tmp_path, client_ca, HOST)
    dns_server.records = {(HOST, "A"): [f"{TTL} 127.0.0.1"]}
    proved(hub, issuer, f"https://{HOST}:{port}", pki.chain)

    def snapshot() -> Snapshot:
        return asking(current_snapshot(hub), issuer, ("127.0.0.1", dns_server.port))

    with (
        hub_server(pki, "127.0.0.1", port, client_ca) as old,
        hub_server(pki, "127.0.0.2", port, client_ca) as new,
        client_of(hub) as client,
    ):

        def run(test: Callable[[Scene], None]) -> None:
            async def beside(ads: AdsServer) -> None:
                loop = asyncio.get_running_loop()
                publish = partial(loop.call_soon_threadsafe, lambda: ads.publish(snapshot()))
                scene = Scene(issuer, publish, dns_server, old, new, client)
                async with asyncio.timeout(SECONDS):
                    assert await ads.settled() is True
                await asyncio.to_thread(scene.call_until_answered, 200)
                await asyncio.to_thread(test, scene)

            asyncio.run(with_envoy(hub, snapshot(), beside))

        yield run


def test_another_address_of_a_customers_server_is_in_use_within_its_ttl_and_no_call_fails(play: Play) -> None:
    def test(scene: Scene) -> None:
        assert (scene.old.requests > 0, scene.new.requests) == (True, 0)
        scene.dns.records = {(HOST, "A"): [f"{TTL} 127.0.0.2"]}
        # The promise is the TTL and a second; what is above it is for a machine under load.
        assert scene.call_until(lambda: scene.new.requests > 0) < TTL + 1 + 5
        used = scene.old.requests
        scene.call_until(lambda: scene.new.requests > 20)
        assert scene.old.requests == used
        # No connection to the old address outlives its last call.
        scene.call_until(lambda: scene.old.connections == 0)

    play(test)


@pytest.mark.parametrize("mode", ["SERVFAIL", "silent"])
def test_the_last_address_of_a_customers_server_stays_in_use_while_dns_fails(play: Play, mode: str) -> None:
    def test(scene: Scene) -> None:
        scene.dns.mode, asked = mode, len(scene.dns.questions)
        scene.call_until(lambda: len(scene.dns.questions) > asked + 1)
        assert scene.new.requests == 0
        scene.dns.records, scene.dns.mode = {(HOST, "A"): [f"{TTL} 127.0.0.2"]}, ""
        scene.call_until(lambda: scene.new.requests > 0)

    play(test)


def test_the_last_address_of_a_customers_server_is_forgotten_when_dns_has_failed_for_days(
    play: Play, hub: Hub, issuer: str
) -> None:
    later = replace(hub, now=partial(add, hub.now(), STALE_MOST))

    def test(scene: Scene) -> None:
        scene.dns.mode = "SERVFAIL"
        calls_seen(hub, [issuer], [])
        seen = ProbeFact(show_endpoint(hub, issuer).address, later.now(), ok=False, seen="failed")
        record_probe(later, issuer, seen, (), Evidence(DnsSeen(HOST, failure="SERVFAIL")))
        assert scene.call() == 200
        assert let_go_stale(later, issuer)
        scene.publish()
        scene.call_until_answered(503)
        used = scene.old.requests
        assert (scene.call(), scene.old.requests) == (503, used)

    play(test)


def test_a_customers_server_whose_name_is_gone_is_called_no_more(play: Play) -> None:
    def test(scene: Scene) -> None:
        scene.dns.records = {}
        scene.call_until_answered(503)
        used = scene.old.requests
        assert scene.call() == 503
        assert scene.old.requests == used

    play(test)
