"""The ADS server towards a node that speaks delta xDS: what is sent, confirmed and refused."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from envoy.service.discovery.v3 import discovery_pb2
from google.rpc import status_pb2

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.operations.hub import Hub
from bothways.operations.rotation import rotate_client_certificate
from bothways.operations.services import add_service
from bothways.registry.service import Service
from bothways.xds import names
from bothways.xds.resource import Deferred
from bothways.xds.snapshot import Snapshot

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


class Node:
    """A node of the data plane, on one stream."""

    def __init__(self, channel: Any, name: str = "node-1") -> None:
        self._name = name
        self._stream = channel.stream_stream(
            METHOD,
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()

    async def ask(self, type_url: str, *wanted: str) -> Any:
        """Subscribe to names, or to everything, and return the first response."""
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=type_url, resource_names_subscribe=wanted)
        request.node.id = self._name
        await self._stream.write(request)
        return await self._stream.read()

    async def read(self) -> Any:
        return await self._stream.read()

    async def answer(self, response: Any, refusal: str = "") -> None:
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        if refusal:
            request.error_detail.CopyFrom(status_pb2.Status(code=3, message=refusal))
        await self._stream.write(request)

    async def take_all(self, snapshot: Snapshot, *, but: str = "") -> Any:
        """Ask for everything of the snapshot and confirm it, except one type, whose response is returned."""
        kept = None
        first, *others = names.PUSH_ORDER
        # A list is answered when the maps have been asked for.
        for type_url in (*others, first):
            wildcard = type_url in {names.CLUSTER_TYPE, names.LISTENER_TYPE}
            response = await self.ask(type_url, *(() if wildcard else sorted(snapshot.of(type_url))))
            assert {each.name for each in response.resources} == set(snapshot.of(type_url))
            if type_url == but:
                kept = response
            else:
                await self.answer(response)
        return kept


def told(server: AdsServer) -> list[dict[str, Any]]:
    """Return what matters here of what the server knows of its nodes."""
    return [{key: each[key] for key in ("node", "settled", "refused")} for each in server.nodes()]


def served(hub: Hub, test: Callable[[AdsServer, Node], Awaitable[None]]) -> None:
    """Run a test against a server on a real socket, and a node that is connected to it."""
    socket = hub.run_directory / "ads.sock"

    async def run() -> None:
        server = AdsServer(socket, current_snapshot(hub))
        await server.start()
        try:
            async with asyncio.timeout(20), grpc.aio.insecure_channel(f"unix:{socket}") as channel:
                await test(server, Node(channel))
        finally:
            await server.stop()

    asyncio.run(run())


def changed(hub: Hub, name: str) -> Snapshot:
    """Return the snapshot after one more service: another cluster, and other routes."""
    add_service(hub, Service(name, f"/{name}", "http://127.0.0.1:9000"))
    return current_snapshot(hub)


def test_a_node_is_settled_once_it_has_confirmed_everything(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        last = await node.take_all(server.snapshot, but=names.ROUTE_TYPE)
        assert told(server) == [{"node": "node-1", "settled": False, "refused": {}}]
        await node.answer(last)
        assert await server.settled() is True
        assert told(server) == [{"node": "node-1", "settled": True, "refused": {}}]

    served(hub, test)


def test_a_change_is_pushed_alone_clusters_before_routes(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        server.publish(changed(hub, "tokens"))
        for type_url, wanted in ((names.CLUSTER_TYPE, "service/tokens"), (names.ROUTE_TYPE, names.INBOUND)):
            response = await node.read()
            assert (response.type_url, [each.name for each in response.resources]) == (type_url, [wanted])
            assert response.system_version_info == server.snapshot.version
            await node.answer(response)
        assert await server.settled() is True

    served(hub, test)


def test_a_refusal_is_not_in_force_and_is_shown(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        server.publish(changed(hub, "tokens"))
        await node.answer(await node.read(), "no such address")
        await node.answer(await node.read())
        assert await server.settled() is False
        refused = {names.CLUSTER_TYPE: "no such address"}
        assert told(server) == [{"node": "node-1", "settled": False, "refused": refused}]

    served(hub, test)


def test_a_change_that_mends_a_refusal_is_waited_for(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        before = server.snapshot
        server.publish(changed(hub, "tokens"))
        await node.answer(await node.read(), "no such address")
        await node.answer(await node.read())
        assert await server.settled() is False
        server.publish(before)
        waiting = asyncio.create_task(server.settled())
        for _ in range(2):
            await node.answer(await node.read())
        assert await waiting is True

    served(hub, test)


def test_who_waits_is_told_of_a_version_only_when_it_or_a_later_one_is_confirmed(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        server.publish(changed(hub, "tokens"))
        waiting = asyncio.create_task(server.settled())
        cluster, routes = await node.read(), await node.read()
        server.publish(changed(hub, "vault"))
        later = [await node.read(), await node.read()]
        await node.answer(cluster)
        await node.answer(routes)
        await node.answer(later[0])
        # The server has taken these answers when it answers what is asked after them.
        await node.ask(names.SECRET_TYPE, "no-such-secret")
        assert not waiting.done()
        await node.answer(later[1])
        assert await waiting is True

    served(hub, test)


def test_a_refusal_is_waited_out_until_another_snapshot_mends_it(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        before = server.snapshot
        server.publish(changed(hub, "tokens"))
        waiting = asyncio.create_task(server.confirmed())
        await node.answer(await node.read(), "no such address")
        await node.answer(await node.read())
        assert await server.settled() is False
        assert (waiting.done(), server.refusals()) == (False, ("no such address",))
        server.publish(before)
        for _ in range(2):
            await node.answer(await node.read())
        await waiting
        assert server.refusals() == ()

    served(hub, test)


def test_who_waits_for_a_node_that_leaves_need_not_wait_any_longer(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        assert await server.settled() is True
        async with grpc.aio.insecure_channel(f"unix:{hub.run_directory / 'ads.sock'}") as channel:
            await Node(channel).ask(names.CLUSTER_TYPE)
            waiting = asyncio.create_task(server.settled())
            await asyncio.sleep(0)
            assert not waiting.done()
        assert await waiting is True

    served(hub, test)


def test_a_node_that_leaves_is_forgotten(hub: Hub) -> None:
    async def test(server: AdsServer, _node: Node) -> None:
        async with grpc.aio.insecure_channel(f"unix:{hub.run_directory / 'ads.sock'}") as channel:
            await Node(channel).take_all(server.snapshot)
            assert len(server.nodes()) >= 1
        # The server hears of the end of a stream by itself; the test's own time-out bounds the look.
        while any(each["node"] for each in server.nodes()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    served(hub, test)


def test_nothing_is_settled_while_nobody_is_connected(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        waiting = asyncio.create_task(server.settled())
        last = await node.take_all(server.snapshot, but=names.SECRET_TYPE)
        assert not waiting.done()
        await node.answer(last)
        assert await waiting is True

    served(hub, test)


def test_the_socket_is_for_its_user_alone_and_a_stale_one_is_replaced(hub: Hub) -> None:
    (hub.run_directory / "ads.sock").touch()

    async def test(server: AdsServer, node: Node) -> None:
        path: Path = hub.run_directory / "ads.sock"
        assert (path.is_socket(), path.stat().st_mode & 0o777) == (True, 0o600)
        await node.take_all(server.snapshot)

    served(hub, test)


def test_what_is_told_of_a_node_is_when_it_came_what_it_has_and_when_it_said_so_last(hub: Hub, now: datetime) -> None:
    socket = hub.run_directory / "ads.sock"
    moments = (now + timedelta(seconds=count) for count in itertools.count())

    async def run() -> None:
        server = AdsServer(socket, current_snapshot(hub), clock=lambda: next(moments))
        await server.start()
        try:
            async with asyncio.timeout(20), grpc.aio.insecure_channel(f"unix:{socket}") as channel:
                node = Node(channel)
                last = await node.take_all(server.snapshot, but=names.ROUTE_TYPE)
                [before] = server.nodes()
                assert (before["connected"], before["since"], before["version"]) == (
                    True,
                    now.isoformat(),
                    server.snapshot.version,
                )
                await node.answer(last)
                await server.settled()
                [after] = server.nodes()
                assert (after["version"], after["since"]) == (server.snapshot.version, now.isoformat())
                assert after["answered_at"] > before["answered_at"]
        finally:
            await server.stop()

    asyncio.run(run())


def test_without_a_list_of_nodes_no_port_is_opened_for_them(hub: Hub) -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match="not let in"):
            await AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub)).start_remote("127.0.0.1", 1)

    asyncio.run(run())


def test_a_rotation_with_no_customers_changes_nothing_for_the_node(hub: Hub) -> None:
    before = current_snapshot(hub)
    rotate_client_certificate(hub)
    assert current_snapshot(hub).version == before.version


def test_who_waits_for_another_version_is_told_when_it_is_confirmed(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        assert await server.confirmed_other_than("") == server.snapshot.version
        waiting = asyncio.create_task(server.confirmed_other_than(server.snapshot.version))
        assert await server.settled() is True
        assert not waiting.done()
        server.publish(changed(hub, "tokens"))
        for _ in range(2):
            await node.answer(await node.read())
        assert await waiting == server.snapshot.version

    served(hub, test)


def test_what_cannot_be_packed_keeps_nothing_else_from_a_node_and_is_shown_and_logged_once(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        wanted = changed(hub, "tokens")
        clusters = dict(wanted.of(names.CLUSTER_TYPE)) | {"bad": Deferred("bad", "1", lambda: 1 // 0)}
        server.publish(replace(wanted, version="v2", resources=dict(wanted.resources) | {names.CLUSTER_TYPE: clusters}))
        response = await node.read()
        assert [each.name for each in response.resources] == ["service/tokens"]
        await node.answer(response)
        await node.answer(await node.read())
        assert await server.settled() is False
        [told_of] = told(server)
        [said] = server.unpacked
        assert said.startswith("bad cannot be packed, so no node is sent it: ZeroDivisionError")
        assert (told_of["settled"], told_of["refused"]) == (False, {names.CLUSTER_TYPE: said})
        server.publish(wanted)
        response = await node.read()
        assert [*response.removed_resources] == ["bad"]
        await node.answer(response)
        assert await server.settled() is True
        assert server.unpacked == ()
        assert [each.getMessage() for each in caplog.records if "packed" in each.message] == [f"node node-1: {said}"]

    served(hub, test)
