"""A service with two addresses, one of which is away: no call is lost, and none is made twice."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from tests.conftest import free_ports
from tests.wire.conftest import ISSUER, Line, World, with_envoy
from tests.wire.upstream import answer, serving

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.certificates import certificate_seen, show_certificate
from bothways.operations.hub import Hub
from bothways.operations.services import add_service, grant_service
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke
from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot
from bothways.xds.typed import any_of, tcp

pytestmark = pytest.mark.envoy

CALLS = 40


def at_two_addresses(snapshot: Snapshot, ports: tuple[int, int]) -> Snapshot:
    """Return the snapshot with a service at two ports, as if DNS had told two addresses."""
    name = names.service_cluster("tokens")
    clusters, cluster = snapshot.of(names.CLUSTER_TYPE), cluster_pb2.Cluster()
    assert clusters[name].packed.Unpack(cluster)
    cluster.ClearField("cluster_type")
    cluster.type = cluster_pb2.Cluster.STATIC
    [locality] = cluster.load_assignment.endpoints
    [first] = locality.lb_endpoints
    first.endpoint.address.CopyFrom(tcp("127.0.0.1", ports[0]))
    locality.lb_endpoints.add().endpoint.address.CopyFrom(tcp("127.0.0.1", ports[1]))
    changed = {**snapshot.unasked(names.CLUSTER_TYPE), name: Resource(name, "two", any_of(cluster))}
    return replace(snapshot, resources={**snapshot.resources, names.CLUSTER_TYPE: changed})


@pytest.fixture
def caller(hub: Hub, issuer: str, tmp_path: Path) -> tuple[World, Spoke]:
    """A customer whose inbound flow is established, with a service granted to it."""
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    grant_service(hub, "tokens", issuer)
    world = World(hub, tmp_path)
    spoke, serial = world.certified(ISSUER)
    certificate_seen(hub, show_certificate(hub, serial).fingerprint or "")
    return world, spoke


def test_calls_go_to_the_address_that_answers_each_once(hub: Hub, caller: tuple[World, Spoke]) -> None:
    world, spoke = caller
    [closed] = free_ports(1)

    def call() -> list[int]:
        with world.open(spoke) as line:
            return [posted(line, number) for number in range(CALLS)]

    with serving(answer) as upstream:
        snapshot = at_two_addresses(current_snapshot(hub), (upstream.port, closed))

        async def test(ads: AdsServer) -> None:
            async with asyncio.timeout(20):
                assert await ads.settled() is True
            assert await asyncio.to_thread(call) == [200] * CALLS

        asyncio.run(with_envoy(hub, snapshot, test))
    sent = [head.split("\r\n")[0] for head in upstream.heads]
    assert sent == [f"POST /tokens/{number} HTTP/1.1" for number in range(CALLS)]


def posted(line: Line, number: int) -> int:
    found = line.answer("POST", f"/tokens/{number}", body=b"pay")
    found.read()
    return found.status
