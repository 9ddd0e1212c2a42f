"""The stream on which a node asks for customers' servers, beside the first one: how long it lives, and what it has."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc.aio
import pytest
from envoy.service.discovery.v3 import discovery_pb2
from tests.dataplane.test_ads import Node
from tests.eventually import eventually_in_loop

from bothways.connectivity.facts import ProbeFact
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.connection import Connection
from bothways.dataplane.grpc_server import start_local
from bothways.dataplane.on_demand import METHOD, PASSED_ON, SERVICE, on_demand_handler, passed_on_alone
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import suspend_customer
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.xds import names
from bothways.xds.stream import DeltaStream


class Second:
    """A node's second stream."""

    def __init__(self, channel: Any, name: str = "node-1") -> None:
        self._name = name
        self.call = channel.stream_stream(
            f"/{SERVICE}/{METHOD}",
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()

    async def ask(self, *wanted: str, known: dict[str, str] | None = None) -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(
            type_url=names.CLUSTER_TYPE, resource_names_subscribe=wanted, initial_resource_versions=known or {}
        )
        request.node.id = self._name
        await self.call.write(request)

    async def take(self) -> Any:
        """Read a response, and confirm it."""
        response = await self.call.read()
        assert response is not grpc.aio.EOF
        answer = discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        await self.call.write(answer)
        return response


@dataclass
class Scene:
    """A node whose first stream has confirmed everything, and the cluster of the only customer."""

    server: AdsServer
    channel: Any
    node: Node
    cluster: str

    @property
    def customers(self) -> list[int]:
        return [each["customers"] for each in self.server.nodes()]


Play = Callable[[Callable[[Scene], Awaitable[None]]], None]


@pytest.fixture
def play(hub: Hub, issuer: str, make_ca: Callable[..., Any]) -> Play:
    set_endpoint(hub, issuer, "https://bank.example")
    endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id)
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))

    async def run(test: Callable[[Scene], Awaitable[None]]) -> None:
        socket = hub.run_directory / "ads.sock"
        server = AdsServer(socket, snapshot := current_snapshot(hub))
        [cluster] = [each for each in snapshot.of(names.CLUSTER_TYPE) if names.customer_of(each)]
        await server.start()
        try:
            async with asyncio.timeout(60), grpc.aio.insecure_channel(f"unix:{socket}") as channel:
                node = Node(channel)
                first, *others = names.PUSH_ORDER
                for type_url in (*others, first):
                    wildcard = type_url in {names.CLUSTER_TYPE, names.LISTENER_TYPE}
                    wanted = () if wildcard else sorted(snapshot.of(type_url))
                    await node.answer(await node.ask(type_url, *wanted))
                assert await server.settled() is True
                await test(Scene(server, channel, node, cluster))
        finally:
            await server.stop()

    return lambda test: asyncio.run(run(test))


def brought(response: Any) -> tuple[list[str], list[str]]:
    assert response.type_url == names.CLUSTER_TYPE
    return [each.name for each in response.resources], list(response.removed_resources)


def test_what_is_asked_for_comes_and_goes_when_the_first_stream_has_confirmed_the_routes(
    play: Play, hub: Hub, issuer: str
) -> None:
    async def test(scene: Scene) -> None:
        second = Second(scene.channel)
        await second.ask(scene.cluster)
        assert brought(await second.take()) == ([scene.cluster], [])
        await eventually_in_loop(lambda: scene.customers == [1])
        suspend_customer(hub, issuer, "tested")
        scene.server.publish(current_snapshot(hub))
        routes, secrets = [await scene.node.read() for _ in range(2)]
        assert (routes.type_url, secrets.type_url) == (names.ROUTE_TYPE, names.SECRET_TYPE)
        taken = asyncio.create_task(second.take())
        await scene.node.answer(secrets)
        await eventually_in_loop(lambda: not scene.server.nodes()[0]["settled"])
        await scene.server.sent()
        # The routes are not confirmed yet, so what they lead to is there.
        assert (taken.done(), scene.customers) == (False, [1])
        await scene.node.answer(routes)
        assert brought(await taken) == ([], [scene.cluster])
        await eventually_in_loop(lambda: scene.customers == [0])
        assert await scene.server.settled() is True

    play(test)


@pytest.mark.parametrize("name", ["node-2", ""])
def test_a_node_whose_first_stream_is_elsewhere_comes_again(play: Play, name: str) -> None:
    async def test(scene: Scene) -> None:
        second = Second(scene.channel, name)
        await second.ask(scene.cluster)
        assert await second.call.code() is grpc.StatusCode.UNAVAILABLE

    play(test)


def test_it_ends_with_the_first_stream(play: Play) -> None:
    async def test(scene: Scene) -> None:
        second = Second(scene.channel)
        await second.ask(scene.cluster)
        await second.take()
        scene.node._stream.cancel()
        assert await second.call.read() is grpc.aio.EOF
        assert await second.call.code() is grpc.StatusCode.OK

    play(test)


def test_it_ends_with_the_first_stream_also_if_that_never_came_to_hear_of_it(hub: Hub, now: datetime) -> None:
    async def test() -> None:
        connection = Connection(1, "unix:", now, DeltaStream())
        connection.stream.node_id = "node-1"
        server = await start_local(socket := hub.run_directory / "ads.sock", on_demand_handler({connection}, None))
        async with asyncio.timeout(60), grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            second = Second(channel)
            await second.ask("customer/1/2")
            await eventually_in_loop(lambda: connection.events.qsize() == 1)
            connection.over.set()
            assert await second.call.code() is grpc.StatusCode.OK
        await server.stop(None)

    asyncio.run(test())


def test_the_next_one_takes_its_place_and_is_sent_nothing_that_the_node_has(play: Play, hub: Hub, issuer: str) -> None:
    async def test(scene: Scene) -> None:
        one, other = Second(scene.channel), Second(scene.channel)
        await one.ask(scene.cluster)
        version = (await one.take()).resources[0].version
        await other.ask(scene.cluster, known={scene.cluster: version})
        assert await one.call.read() is grpc.aio.EOF
        await eventually_in_loop(lambda: scene.customers == [1])
        suspend_customer(hub, issuer, "tested")
        scene.server.publish(current_snapshot(hub))
        for _ in range(2):
            await scene.node.answer(await scene.node.read())
        assert brought(await other.take()) == ([], [scene.cluster])

    play(test)


def test_when_it_breaks_the_first_one_goes_on(play: Play, hub: Hub, issuer: str) -> None:
    async def test(scene: Scene) -> None:
        second = Second(scene.channel)
        await second.ask(scene.cluster)
        await second.take()
        second.call.cancel()
        # Perhaps before its end was noticed here.
        suspend_customer(hub, issuer, "tested")
        scene.server.publish(current_snapshot(hub))
        for _ in range(2):
            await scene.node.answer(await scene.node.read())
        assert await scene.server.settled() is True
        await eventually_in_loop(lambda: scene.customers == [0])

    play(test)


def test_an_agent_of_an_earlier_release_says_nothing_of_it() -> None:
    by_agent = ("user-agent", "grpc-python-asyncio/1.85.1 grpc-c/55.0.0 (linux; chttp2)")
    assert passed_on_alone((by_agent,))
    assert not passed_on_alone((by_agent, PASSED_ON))
    # Envoy itself, with nobody in between.
    assert not passed_on_alone((("te", "trailers"),))
