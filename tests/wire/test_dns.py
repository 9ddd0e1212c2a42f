"""What a DNS server can do to the hub's Envoy: one that is silent, and one whose answers lead inside."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2
from tests.dns_server import DnsServer
from tests.wire.conftest import with_envoy
from tests.wire.servers import make_pki, python

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.services import add_service
from bothways.pki.chain import certificate_pem
from bothways.registry.service import Service
from bothways.xds import names
from bothways.xds.snapshot import Resource, Snapshot
from bothways.xds.typed import any_of, extension, tcp

pytestmark = pytest.mark.envoy

# Far more than Envoy needs, and far less than the minute for which it would ask a DNS server that is silent.
SECONDS = 20.0


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
    set_endpoint(hub, issuer, "https://callbacks.bank.example:8443")
    endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id)
    return issuer


def asking(snapshot: Snapshot, tsp_id: str, server: tuple[str, int]) -> Snapshot:
    """Return the snapshot with the customer's name asked of this DNS server, and not of the system's."""
    name = names.customer_cluster(tsp_id)
    clusters = snapshot.of(names.CLUSTER_TYPE)
    cluster, dns = cluster_pb2.Cluster(), dns_cluster_pb2.DnsCluster()
    assert clusters[name].packed.Unpack(cluster)
    assert cluster.cluster_type.typed_config.Unpack(dns)
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig(resolvers=[tcp(*server)])
    dns.typed_dns_resolver_config.CopyFrom(extension("envoy.network.dns_resolver.cares", resolver))
    cluster.cluster_type.typed_config.CopyFrom(any_of(dns))
    changed = {**clusters, name: Resource(name, "asking", any_of(cluster))}
    return Snapshot(snapshot.version, {**snapshot.resources, names.CLUSTER_TYPE: changed})


def test_a_silent_dns_server_holds_up_neither_the_endpoint_nor_other_changes(
    hub: Hub, customer: str, silent: socket.socket
) -> None:
    async def test(ads: AdsServer) -> None:
        async with asyncio.timeout(SECONDS):
            assert b"callbacks" in await asyncio.get_running_loop().sock_recv(silent, 512)
            assert await ads.settled() is True
            _, writer = await asyncio.open_connection("127.0.0.1", hub.settings.inbound_port)
            writer.close()
        add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
        ads.publish(asking(current_snapshot(hub), customer, silent.getsockname()))
        async with asyncio.timeout(SECONDS):
            assert await ads.settled() is True

    asyncio.run(with_envoy(hub, asking(current_snapshot(hub), customer, silent.getsockname()), test))


def test_an_answer_that_leads_to_loopback_after_the_registration_reaches_nobody(
    hub: Hub, issuer: str, tmp_path: Path, dns_server: DnsServer
) -> None:
    strict = replace(hub, settings=replace(hub.settings, danger_outbound_loopback=False))
    host, calls = "rebound.bank.test", list[bytes]()
    pki = make_pki(tmp_path, contract(hub).trust.client_ca, host)

    def asked(wanted: int) -> str:
        """Ask until the status is this one, and return the answer."""
        transport, deadline = (
            httpx2.HTTPTransport(uds=str(hub.run_directory / "probe.sock")),
            time.monotonic() + SECONDS,
        )
        with httpx2.Client(transport=transport, timeout=SECONDS) as client:
            while True:
                answer = client.get("http://probe/", headers={names.CUSTOMER_HEADER: issuer})
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
        set_endpoint(hub, issuer, f"https://{host}:{port}")
        endorse_chain(hub, submit_chain(hub, issuer, pki.chain).id)
        asyncio.run(with_envoy(hub, asking(current_snapshot(strict), issuer, ("127.0.0.1", dns_server.port)), test))
    assert calls == []
