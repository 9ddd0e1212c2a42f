"""One node first: nodes that speak delta xDS, and the real Envoy as the one that is first."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import grpc.aio
import pytest
from tests.dataplane.test_ads import Node
from tests.eventually import eventually_in_loop

from bothways import files
from bothways.dataplane import rollout
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.derived import both_snapshots, first_snapshot
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.dataplane.rollout import Knock, Rollout, nothing_wrong
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rollout import good_state, keep_given, read_rollout
from bothways.xds import names
from bothways.xds.bootstrap import bootstrap
from bothways.xds.state import HubState, Identity, ServiceRoute

BANK = Identity("urn:bothways:PPR:12345678:1a", "12345678")
TOKENS = ServiceRoute("tokens", "/tokens", "127.0.0.1", 9000, (BANK,))
# What Envoy refuses, and says why.
VAULT, NO_PORT = replace(TOKENS, name="vault", prefix="/vault"), 70_000


@dataclass
class Fleet:
    """A control plane with the nodes that are connected to it, by their names."""

    hub: Hub
    ads: AdsServer
    rollout: Rollout
    nodes: dict[str, Node]

    def take(self, wanted: HubState) -> None:
        record = read_rollout(self.hub)
        good = good_state(self.hub, record, wanted, self.rollout.good)
        everyone, snapshots, _ = both_snapshots(good, wanted)
        self.rollout.take(wanted, everyone, snapshots, 0.0, record.held)
        if self.rollout.good:
            keep_given(self.hub, self.rollout.good, wanted, record)

    async def brings(self, node: str, *wanted: str, refusal: str = "") -> None:
        """Have a node read what it is sent, which is this, and answer."""
        for name in wanted:
            response = await self.nodes[node].read()
            found = [*(each.name for each in response.resources), *(f"-{each}" for each in response.removed_resources)]
            assert found == [name]
            await self.nodes[node].answer(response, refusal if name == "service/vault" else "")


@asynccontextmanager
async def fleet(
    hub: Hub,
    state: HubState,
    *connected: str,
    knock: Knock = nothing_wrong,
    first: str = "",
    socket_name: str = "ads.sock",
    elsewhere: Callable[[], Collection[str]] = frozenset,
) -> AsyncIterator[Fleet]:
    socket = hub.run_directory / socket_name
    ads = AdsServer(socket, first_snapshot(hub, state))
    rollout = Rollout(hub, ads, "own", knock, staged=True, first=first, elsewhere=elsewhere)
    made = Fleet(hub, ads, rollout, {})
    given = ads.snapshot
    made.take(state)
    await ads.start()
    async with asyncio.timeout(100), AsyncExitStack() as stack:
        for name in connected:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"unix:{socket}"))
            made.nodes[name] = Node(channel, name)
            await made.nodes[name].answer(await made.nodes[name].take_all(given, but=names.ROUTE_TYPE))
        await eventually_in_loop(lambda: ads.names() == set(connected) and all(each["settled"] for each in ads.nodes()))
        try:
            yield made
        finally:
            await made.rollout.end()
            await ads.stop()


def state_of(hub: Hub, *services: ServiceRoute) -> HubState:
    return replace(hub_state(hub), identities=(BANK,), services=services)


def test_one_node_is_first_and_the_rest_follow_when_it_has_confirmed_and_was_knocked_at(hub: Hub) -> None:
    knocked: list[str] = []

    async def run() -> None:
        async def knock(node: str) -> Callable[[], Awaitable[str]]:
            async def again() -> str:
                assert not made.ads.quiet()
                knocked.append("again")
                return ""

            # Before it has anything of it: what the canary finds then was not caused by it.
            assert made.rollout._given[2] == ""
            knocked.append(node)
            return again

        async with fleet(hub, state_of(hub, TOKENS), "eu-1", "own", knock=knock) as made:
            made.take(state_of(hub, TOKENS, VAULT))
            await made.brings("own", "service/vault", "inbound")
            await made.brings("eu-1", "service/vault", "inbound")
            assert await made.ads.settled() is True
            assert (knocked, made.rollout.held) == (["own", "again"], None)

    asyncio.run(run())


@pytest.mark.parametrize("who", ["envoy", "canary"])
def test_what_the_first_refuses_it_is_rid_of_again_and_no_other_sees_it(hub: Hub, who: str) -> None:
    async def run() -> None:
        async def knock(_node: str) -> Callable[[], Awaitable[str]]:
            async def again() -> str:
                return "and let a stranger in" if who == "canary" else ""

            return again

        async with fleet(hub, state_of(hub, TOKENS), "eu-1", "eu-2", knock=knock, first="eu-2") as made:
            made.take(state_of(hub, TOKENS, VAULT))
            refusal = "no such port" if who == "envoy" else ""
            await made.brings("eu-2", "service/vault", refusal=refusal)
            await made.brings("eu-2", *(["inbound"] if who == "canary" else []))
            await eventually_in_loop(lambda: made.rollout.held is not None)
            assert made.rollout.held
            assert made.rollout.held.node == "eu-2"
            assert ("no such port" if refusal else "let a stranger in") in made.rollout.held.why
            # What is taken away meanwhile reaches all at once, and nothing else does.
            made.take(replace(state_of(hub, VAULT, replace(TOKENS, identities=())), identities=()))
            response = await made.nodes["eu-1"].read()
            assert [each.name for each in response.resources] == ["inbound"]
            assert b"vault" not in response.SerializeToString()
            assert b"12345678" not in response.SerializeToString()
            await made.nodes["eu-1"].answer(response)
            # A change that mends it clears it.
            made.take(state_of(hub, TOKENS))
            assert made.rollout.held is None

    asyncio.run(run())


def test_one_that_says_nothing_holds_up_the_rest_for_a_while_and_of_two_nobody_risks_a_third(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with fleet(hub, state_of(hub, TOKENS), "a", "b", "c") as made:
            monkeypatch.setattr(rollout, "ANSWER", 0.2)
            made.take(state_of(hub, TOKENS, VAULT))
            await eventually_in_loop(lambda: made.rollout.held is not None)
            assert made.rollout.held
            assert (made.rollout.held.node, made.rollout.held.why) == ("a, b", "and said nothing in 0 s")
            monkeypatch.setattr(rollout, "ANSWER", 60.0)
            made.take(state_of(hub, TOKENS, replace(VAULT, port=9001)))
            assert made.ads.answered() is False
            trial = made.rollout._trial
            # What is of a customer goes by it, and puts it off no longer.
            made.take(replace(state_of(hub, TOKENS, replace(VAULT, port=9001)), identities=()))
            assert made.rollout._trial is trial
            response = await made.nodes["c"].read()
            assert [each.name for each in response.resources] == ["inbound"]
            assert b"vault" not in response.SerializeToString()

    asyncio.run(run())


def test_the_one_that_is_named_is_first_also_where_it_is_connected_to_another_control_plane(
    shared_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, wanted, looks = state_of(shared_hub, TOKENS), state_of(shared_hub, TOKENS, VAULT), list[str]()

    def at_the_other() -> set[str]:
        looks.append("look")
        return {"eu-1"}

    async def run() -> None:
        async with AsyncExitStack() as stack:
            here, there = [
                await stack.enter_async_context(
                    fleet(shared_hub, before, own, first="eu-1", socket_name=f"{own}.sock", elsewhere=elsewhere)
                )
                for own, elsewhere in (("own", at_the_other), ("eu-1", frozenset))
            ]
            here.take(wanted)
            await eventually_in_loop(lambda: len(looks) > 2)
            # It is not tried here, though the turn was nobody's.
            assert here.rollout._given[2] == ""
            there.take(wanted)
            await there.brings("eu-1", "service/vault", "inbound")
            await eventually_in_loop(there.ads.quiet)
            here.take(wanted)
            await here.brings("own", "service/vault", "inbound")
            assert await here.ads.settled() is True
            await there.rollout.end()
            # One that says nothing is not waited for.
            monkeypatch.setattr(rollout, "ANSWER", 0.1)
            here.take(state_of(shared_hub, TOKENS, replace(VAULT, port=9001)))
            await here.brings("own", "service/vault")

    asyncio.run(run())


def test_where_there_is_one_node_nobody_is_kept_from_anything(hub: Hub) -> None:
    async def run() -> None:
        async with fleet(hub, state_of(hub, TOKENS), "own") as made:
            made.take(state_of(hub, TOKENS, VAULT))
            await made.brings("own", "service/vault", "inbound")
            assert await made.ads.settled() is True

    asyncio.run(run())


@pytest.mark.envoy
def test_what_the_real_envoy_refuses_is_told_in_its_words_and_reaches_no_other(hub: Hub) -> None:
    async def run() -> None:
        place = hub.run_directory
        files.make_directory(place)
        async with fleet(hub, state_of(hub, TOKENS), "eu-1") as made:
            files.replace(
                place / "envoy.json", bootstrap("own", str(place / "ads.sock"), str(place / "admin.sock")).encode()
            )
            envoy = asyncio.create_task(EnvoyProcess(find_envoy(), place / "envoy.json", place / "envoy.log").run())
            try:
                await eventually_in_loop(lambda: made.ads.names() == {"eu-1", "own"} and made.ads.quiet())
                made.take(state_of(hub, TOKENS, replace(VAULT, port=NO_PORT)))
                await eventually_in_loop(lambda: made.rollout.held is not None)
                assert made.rollout.held
                assert made.rollout.held.node == "own"
                assert "PortValue" in made.rollout.held.why
                await eventually_in_loop(lambda: all(each["settled"] for each in made.ads.nodes()))
                # It holds what it is to hold already, and is told a moment later that the rest is gone.
                await eventually_in_loop(lambda: [each["refused"] for each in made.ads.nodes()] == [{}, {}])
                made.take(state_of(hub, TOKENS, VAULT))
                await made.brings("eu-1", "service/vault", "inbound")
                assert await made.ads.settled() is True
            finally:
                envoy.cancel()
                await asyncio.gather(envoy, return_exceptions=True)

    asyncio.run(run())
