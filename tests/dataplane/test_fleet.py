"""Two control planes on one PostgreSQL, each with a node that speaks delta xDS: what each knows of the other's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import grpc.aio
import pytest
from sqlalchemy import delete
from tests.conftest import local_settings
from tests.dataplane.test_ads import Node
from tests.dataplane.test_publisher import MakeCa, register
from tests.eventually import eventually_in_loop
from tests.postgresql import new_schema

from bothways.dataplane import caught_up
from bothways.dataplane import fleet as dataplane_fleet
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.caught_up import CaughtUp
from bothways.dataplane.fleet import Fleet
from bothways.dataplane.publisher import Publisher, current_snapshot
from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.services import add_service
from bothways.operations.settings import EnvoyLifetime, Settings
from bothways.operations.standing import unknown
from bothways.operations.under_way import Kind
from bothways.operations.upkeep import upkeep
from bothways.registry.service import Service
from bothways.store import fleet, under_way
from bothways.store.observations import ObservationStore
from bothways.store.schema_fleet import control_plane, node_status
from bothways.xds import names, passing
from bothways.xds.names import service_cluster


@pytest.fixture
def settings() -> Settings:
    # All at once: which of the nodes is first is asked in `test_rollout.py`.
    return replace(local_settings(), database=new_schema(), nodes_staged=False)


@dataclass
class Plane:
    """A control plane: what it serves, what it knows, and a node that is connected to it."""

    socket: Path
    ads: AdsServer
    fleet: Fleet
    publisher: Publisher
    node: Node
    tasks: list[asyncio.Task[None]]

    async def take(self, count: int) -> None:
        """Have the node confirm what it is sent next."""
        for _ in range(count):
            await self.node.answer(await self.node.read())

    async def end(self) -> None:
        for each in self.tasks:
            each.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.ads.stop()


@asynccontextmanager
async def plane(hub: Hub, name: str) -> AsyncIterator[Plane]:
    """Run a control plane, and connect a node that has confirmed everything."""
    socket = hub.run_directory / f"{name}.sock"
    ads = AdsServer(socket, current_snapshot(hub))
    known = Fleet(hub, ads, lambda _: {"canary": None})
    known.name = name
    publisher = Publisher(hub, ads, fleet=known, held=lambda: False)
    await ads.start()
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        node = Node(channel, f"node-{name}")
        await node.answer(await node.take_all(ads.snapshot, but=names.ROUTE_TYPE))
        made = Plane(
            socket, ads, known, publisher, node, [asyncio.create_task(each) for each in (known.run(), publisher.run())]
        )
        try:
            yield made
        finally:
            await made.end()


@asynccontextmanager
async def both(hub: Hub) -> AsyncIterator[tuple[Plane, Plane]]:
    upkeep(hub)
    async with asyncio.timeout(100), AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(plane(hub, name)) for name in "ab"]
        await eventually_in_loop(lambda: told(first) == told(second) == [("node-a", "a"), ("node-b", "b")])
        yield first, second


def named(plane: Plane) -> list[tuple[str, str]]:
    return [(each["node"], each["control_plane"]) for each in plane.fleet.nodes()]


def told(plane: Plane) -> list[tuple[str, str]]:
    return [(each["node"], each["control_plane"]) for each in plane.fleet.nodes() if each["settled"]]


def test_each_knows_the_nodes_of_all_and_waits_for_them_but_not_for_who_is_gone(
    hub: Hub, make_ca: MakeCa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hub for three scripts, because PostgreSQL and its keys take seconds to make."""

    monkeypatch.setattr(caught_up, "_WAIT_SECONDS", 60.0)

    async def run() -> None:
        async with both(hub) as (first, second):
            assert [each["name"] for each in first.fleet.planes()] == ["a", "b"]
            assert first.fleet.elsewhere() == {"node-b"}
            await what_ails_one_the_other_says(first, second)
            await a_node_that_is_connected_to_both_is_left_to_nobody(first, second)
            await a_change_is_in_force_when_the_nodes_of_both_have_it(hub, first, second, monkeypatch)
            await what_was_taken_out_is_written_again(hub)
            monkeypatch.setattr(fleet, "GONE", timedelta(seconds=1))
            await who_is_gone_is_not_waited_for(hub, first, second)
        monkeypatch.setattr(fleet, "GONE", timedelta(seconds=4))
        monkeypatch.setattr(dataplane_fleet, "PROBED_SECONDS", 2.0)
        monkeypatch.setattr(passing, "PROBED_SECONDS", 2.0)
        async with both(hub) as (first, second):
            register(hub, make_ca)
            await who_is_probed_by_one_is_known_to_the_nodes_of_both(first, second)

    asyncio.run(run())


async def what_ails_one_the_other_says(first: Plane, second: Plane) -> None:
    says = [""]
    second.fleet._problem = lambda: says[0]
    for says[0] in ("the CA cannot sign", "another", ""):
        await eventually_in_loop(lambda: [each["problem"] for each in first.fleet.planes()] == ["", says[0]])
        assert [each["problem"] for each in second.fleet.planes()] == [says[0], ""]


async def a_node_that_is_connected_to_both_is_left_to_nobody(first: Plane, second: Plane) -> None:
    """Whoever has its key comes to the other control plane: the canary goes on to look at it, from both."""
    async with grpc.aio.insecure_channel(f"unix:{second.socket}") as channel:
        await Node(channel, "node-a").take_all(second.ads.snapshot, but=names.ROUTE_TYPE)
        await eventually_in_loop(lambda: [name for name, _ in named(first)] == ["node-a", "node-a", "node-b"])
        assert first.fleet.elsewhere() == {"node-b"}
        assert not second.fleet.elsewhere()
    await eventually_in_loop(lambda: named(first) == named(second) == [("node-a", "a"), ("node-b", "b")])


def counted(known: Fleet, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return a list that has one item more with each look at what the others say."""
    looks, read = list[None](), known._read

    def seen() -> tuple[fleet.Told, ...]:
        looks.append(None)
        return read()

    monkeypatch.setattr(known, "_read", seen)
    return looks


async def a_change_is_in_force_when_the_nodes_of_both_have_it(
    hub: Hub, first: Plane, second: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    waiting = asyncio.create_task(first.publisher.apply())
    await first.take(2)
    looks = counted(first.fleet, monkeypatch)
    # Who comes to the other one is served when it has published the change, and not before.
    assert not await CaughtUp(hub.database, lambda: second.fleet.change).lacks()
    assert service_cluster("tokens") in second.ads.snapshot.of(names.CLUSTER_TYPE)
    late = [await second.node.read() for _ in range(2)]
    await eventually_in_loop(lambda: first.ads.quiet() and not second.ads.quiet())
    # It has looked and waits, for it looks again.
    await eventually_in_loop(lambda: len(looks) > 1, "the nodes of the other are not waited for")
    assert not waiting.done()
    for each in late:
        await second.node.answer(each)
    assert (await waiting).in_force is True

    add_service(hub, Service("vault", "/vault", "http://127.0.0.1:9000"))
    waiting = asyncio.create_task(first.publisher.apply())
    await first.take(2)
    await second.node.answer(await second.node.read(), "no such address")
    await second.take(1)
    assert (await waiting).in_force is False
    await eventually_in_loop(
        lambda: [each["refused"] for each in first.fleet.nodes()] == [{}, {names.CLUSTER_TYPE: "no such address"}]
    )


async def what_was_taken_out_is_written_again(hub: Hub) -> None:
    with hub.observations.write(hub.now()) as transaction:
        transaction.connection.execute(delete(node_status))
        transaction.connection.execute(delete(control_plane))
    await eventually_in_loop(lambda: sorted(stored(hub)) == [("a", 1), ("b", 1)])


async def who_is_gone_is_not_waited_for(hub: Hub, first: Plane, second: Plane) -> None:
    await second.end()
    add_service(hub, Service("cards", "/cards", "http://127.0.0.1:9000"))
    waiting = asyncio.create_task(first.publisher.apply())
    await first.take(2)
    assert (await waiting).in_force is True
    await eventually_in_loop(lambda: told(first) == [("node-a", "a")] and not first.fleet.elsewhere())


async def who_is_probed_by_one_is_known_to_the_nodes_of_both(first: Plane, second: Plane) -> None:
    def ways(each: Plane) -> tuple[list[str], bool]:
        clusters, routes = each.ads.snapshot.of(names.CLUSTER_TYPE), each.ads.snapshot.of(names.ROUTE_TYPE)
        found = [name for name in clusters if name.startswith("probe/")]
        return found, b"probe/" in routes[names.PROBE].packed.value

    assert ways(first) == ways(second) == ([], False)
    assert await first.publisher.send_for_probe("12345678")
    [name], led_to = ways(first)
    assert led_to
    await eventually_in_loop(lambda: ways(second) == ([name], True))
    assert [each.fleet.probed_elsewhere() for each in (first, second)] == [set(), {"12345678"}]
    # Neither keeps it alive for the other one.
    await eventually_in_loop(lambda: ways(first) == ways(second) == ([], False))


@pytest.mark.parametrize("lifetime", [EnvoyLifetime.HUB, EnvoyLifetime.SERVICE])
def test_the_envoy_beside_a_control_plane_that_has_ended_is_left_behind_unless_it_ended_too(
    hub: Hub, lifetime: EnvoyLifetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = replace(hub, settings=replace(hub.settings, envoy_lifetime=lifetime))
    gone, here = "ppr-embedded at b", AdsServer(hub.run_directory / "a.sock", current_snapshot(hub))

    async def run() -> tuple[str, ...]:
        socket = hub.run_directory / "b.sock"
        ads, known = AdsServer(socket, current_snapshot(hub)), Fleet(hub, here)
        ended = Fleet(hub, ads)
        ended.name = "b"
        await ads.start()
        async with asyncio.timeout(60), grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            await Node(channel, "ppr-embedded").take_all(ads.snapshot, but=names.ROUTE_TYPE)
            task = asyncio.create_task(ended.run())
            await eventually_in_loop(lambda: stored(hub) == [("b", 1)])
            task.cancel()
            if lifetime is EnvoyLifetime.HUB:
                await channel.close()
            await asyncio.gather(task, return_exceptions=True)
        await ads.stop()
        monkeypatch.setattr(fleet, "GONE", timedelta(0))
        await known.in_force(0)
        assert [each["node"] for each in known.nodes()] == list(known.away())
        return known.away()

    assert asyncio.run(run()) == (() if lifetime is EnvoyLifetime.HUB else (gone,))


def test_what_cannot_be_written_down_is_told_once_and_stops_nothing(
    hub: Hub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = hub.directory / "later"
    monkeypatch.setattr(fleet, "BEAT", timedelta(0))

    async def run() -> None:
        elsewhere = replace(hub, observations=ObservationStore(later / "observations.db"))
        known = Fleet(elsewhere, AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub)))
        task = asyncio.create_task(known.run())
        await eventually_in_loop(lambda: "cannot be written down" in caplog.text)
        later.symlink_to(hub.directory)
        await eventually_in_loop(lambda: stored(elsewhere) == [(known.name, 0)])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        elsewhere.observations.close()

    asyncio.run(run())
    assert caplog.text.count("how the nodes stand cannot be written down") == 1


def test_what_was_written_in_a_transaction_that_came_to_nothing_is_written_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Fleet(hub, AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub)))
    documents = {1: unknown("eu-1")}
    known._exchange(documents)
    known._said, known._ails = (-1, -1, frozenset({"12345678"})), "the CA cannot sign"

    def away(*_: object, **__: object) -> None:
        raise Unusable("the database is away.")

    with monkeypatch.context() as lost:
        lost.setattr(fleet, "told", away)
        with pytest.raises(Unusable):
            known._exchange(documents)
    assert stored(hub) == [(known.name, 0)]
    known._exchange(documents)
    with hub.observations.read() as connection:
        [told_of] = fleet.told(connection, hub.now())
        said = under_way.documents(connection, Kind.PROBLEM.value, [told_of.id])
    assert ([*told_of.nodes], [*told_of.probed]) == ([documents[1]], ["12345678"])
    assert [*said.values()] == [{"problem": "the CA cannot sign"}]


def stored(hub: Hub) -> list[tuple[str, int]]:
    with hub.observations.read() as connection:
        return [(each.name, len(each.nodes)) for each in fleet.told(connection, hub.now())]
