"""Envoy's link leads to the hub while it answers, and otherwise to the last snapshot."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc.aio
import pytest
from envoy.service.discovery.v3 import discovery_pb2
from tests.dataplane.test_ads import METHOD

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.saved import SavedSnapshot
from bothways.dataplane.stand_in import HUB_SOCKET, LINK, Source, StandIn
from bothways.operations.hub import Hub
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import LIST_VALIDITY
from bothways.xds import names


def stand_in(hub: Hub, seen: list[Source]) -> StandIn:
    made = StandIn(hub.run_directory, saved(hub), hub.now, lambda: seen.append(made.source))
    return made


def saved(hub: Hub) -> SavedSnapshot:
    return SavedSnapshot(hub.run_directory / "snapshot", lambda: b"secret")


async def asked(path: Path, known: dict[str, str]) -> discovery_pb2.DeltaDiscoveryResponse:
    """Ask who is behind the link for all secrets, then for all clusters; return the first answer."""
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        stream = channel.stream_stream(
            METHOD,
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()
        await stream.write(
            discovery_pb2.DeltaDiscoveryRequest(
                type_url=names.SECRET_TYPE, resource_names_subscribe=[*known], initial_resource_versions=known
            )
        )
        await stream.write(discovery_pb2.DeltaDiscoveryRequest(type_url=names.CLUSTER_TYPE))
        answer: discovery_pb2.DeltaDiscoveryResponse = await stream.read()
        stream.cancel()
        return answer


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(bounded())


def test_without_a_hub_and_a_snapshot_nobody_serves(hub: Hub) -> None:
    seen: list[Source] = []
    one = stand_in(hub, seen)
    run(one.look)
    assert (one.source, one.held, seen) == (Source.NOBODY, None, [])
    assert str((hub.run_directory / LINK).readlink()) == HUB_SOCKET


def test_the_snapshot_stands_in_until_the_hub_answers(hub: Hub) -> None:
    snapshot, seen = current_snapshot(hub), list[Source]()
    saved(hub).save(snapshot, hub.now())

    async def test() -> None:
        one = stand_in(hub, seen)
        await one.look()
        answer = await asked(hub.run_directory / LINK, {})
        assert answer.system_version_info == snapshot.version
        assert one.held is not None
        server = AdsServer(hub.run_directory / HUB_SOCKET, snapshot)
        await server.start()
        await one.look()
        assert seen[-1] is Source.HUB
        assert (await asked(hub.run_directory / LINK, {})).system_version_info == snapshot.version
        await server.stop()
        await one.look()
        task = asyncio.create_task(one.run())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(test)
    assert seen == [Source.SNAPSHOT, Source.HUB, Source.SNAPSHOT]
    assert not (hub.run_directory / "standin.sock").exists()


def test_an_envoy_that_has_something_later_keeps_it(hub: Hub) -> None:
    saved(hub).save(current_snapshot(hub), hub.now())

    async def test() -> None:
        one = stand_in(hub, [])
        await one.look()
        later = {names.SERVER_CERTIFICATE: "later", names.CUSTOMER_TRUST: "later", "not in the snapshot": "1"}
        # The first answer is that to the clusters: to the secrets there is none.
        assert (await asked(hub.run_directory / LINK, later)).type_url == names.CLUSTER_TYPE
        await one.stop()

    run(test)


def test_a_snapshot_that_is_damaged_is_told_once_and_ends_nothing(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    saved(hub).save(current_snapshot(hub), hub.now())
    (hub.run_directory / "snapshot" / "index").write_bytes(b"x" * 100)
    one = stand_in(hub, [])
    run(one.look)
    run(one.look)
    assert one.source is Source.NOBODY
    assert caplog.text.count("is not what the hub saved") == 1


def test_beside_a_remote_envoy_revocation_lists_come_to_their_end(hub: Hub) -> None:
    upkeep(hub)
    snapshot = current_snapshot(hub)
    saved(hub).save(snapshot, hub.now())
    late = hub.now() + LIST_VALIDITY

    async def served(*, lists_may_end: bool) -> str:
        one = StandIn(hub.run_directory, saved(hub), lambda: late, lambda: None, lists_may_end=lists_may_end)
        await one.look()
        try:
            return str((await asked(hub.run_directory / LINK, {names.CUSTOMER_TRUST: ""})).system_version_info)
        finally:
            await one.stop()

    async def test() -> None:
        # Under a list that has ended Envoy lets nobody in: `tests/wire/test_crl.py`.
        assert await served(lists_may_end=True) == snapshot.version
        assert await served(lists_may_end=False) != snapshot.version

    run(test)
