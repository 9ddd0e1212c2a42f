"""What all nodes may have, and what is held back, is on record: it outlives a control plane, and holds for them all."""

import asyncio
from dataclasses import replace

import pytest
from tests.conftest import local_settings
from tests.dataplane.test_rollout import TOKENS, VAULT, Fleet, fleet, state_of
from tests.eventually import eventually_in_loop
from tests.postgresql import new_schema

from bothways.dataplane.derived import Maps, both_snapshots, first_snapshot
from bothways.operations.hub import Hub
from bothways.operations.rollout import read_rollout, try_again
from bothways.operations.settings import Settings
from bothways.xds.names import CLUSTER_TYPE, ROUTE_TYPE
from bothways.xds.snapshot import build_snapshot
from bothways.xds.state import HubState, Identity

NEW = "service/vault"
MOVED = replace(VAULT, port=9001)


@pytest.fixture
def settings() -> Settings:
    """Return settings of a hub that has other control planes."""
    return replace(local_settings(), database=new_schema())


def offers(hub: Hub, state: HubState) -> bool:
    """Tell whether a control plane that starts gives the new service to whoever comes."""
    return NEW in first_snapshot(hub, state).of(CLUSTER_TYPE)


def test_what_is_held_back_stays_so_after_a_restart_until_somebody_has_it_tried_again(hub: Hub) -> None:
    bad = state_of(hub, TOKENS, VAULT)

    async def run() -> None:
        async with fleet(hub, state_of(hub, TOKENS), "eu-1", "eu-2") as made:
            made.take(bad)
            await made.brings("eu-1", NEW, refusal="no such port")
            await eventually_in_loop(lambda: made.rollout.held is not None)
        assert not offers(hub, bad)
        async with fleet(hub, bad, "eu-1", "eu-2") as made:
            # Neither of them was given it: they confirmed all that they were sent.
            assert made.rollout.held
            assert (made.rollout.held.node, made.rollout.held.why) == ("eu-1", "and refused it: no such port")
            assert (made.ads.quiet(), made.ads.answered()) == (False, True)
            # There is nothing to be mended in what is stored: it was the node.
            assert try_again(hub, "its disk was full").node == "eu-1"
            made.take(bad)
            await made.brings("eu-1", NEW, "inbound")
            await made.brings("eu-2", NEW, "inbound")
            await eventually_in_loop(made.ads.quiet)
        assert offers(hub, bad)
        assert read_rollout(hub).held is None

    asyncio.run(run())


def test_what_nobody_has_tried_waits_for_a_node_and_is_not_given_to_all_who_come(hub: Hub) -> None:
    new = state_of(hub, TOKENS, VAULT)

    async def run() -> None:
        async with fleet(hub, state_of(hub, TOKENS), "eu-1"):
            pass
        async with fleet(hub, new) as made:
            assert not offers(hub, new)
            assert made.ads.answered() is False
            assert made.rollout.held is None
        assert not offers(hub, new)

    asyncio.run(run())


def test_of_two_control_planes_one_tries_it_and_what_its_node_refuses_no_node_of_the_other_sees(hub: Hub) -> None:
    before, bad, mended = (state_of(hub, TOKENS, *more) for more in ((), (VAULT,), (MOVED,)))

    async def run() -> None:
        async with (
            fleet(hub, before, "a-1", "a-2", socket_name="a.sock") as one,
            fleet(hub, before, "b-1", socket_name="b.sock") as other,
        ):
            one.take(bad)
            response = await one.nodes["a-1"].read()
            other.take(bad)
            # It is neither confirmed nor refused here: whoever asked for it waits.
            assert (other.ads.quiet(), other.ads.answered()) == (False, False)
            await one.nodes["a-1"].answer(response, "no such port")
            for each in (one, other):
                await held(each)
            assert {each.rollout.held.node for each in (one, other) if each.rollout.held} == {"a-1"}
            other.take(mended)
            await other.brings("b-1", NEW, "inbound")
            await eventually_in_loop(other.ads.quiet)
            # Another control plane has seen it confirmed, so that nobody here has to try it.
            one.take(mended)
            assert one.rollout._tries() is False
            await one.brings("a-2", NEW, "inbound")
            assert read_rollout(hub).held is None

    async def held(plane: Fleet) -> None:
        await eventually_in_loop(lambda: plane.rollout.held is not None)
        assert (plane.ads.quiet(), plane.ads.answered()) == (False, True)

    asyncio.run(run())


def test_maps_stand_for_what_one_node_tries_and_for_what_all_have_until_something_else_changes(hub: Hub) -> None:
    who = tuple(Identity(f"urn:bothways:PPR:{tsp_id}:1", tsp_id) for tsp_id in ("1", "2"))
    good, wanted = (replace(state_of(hub, *services), identities=who) for services in ((TOKENS,), (TOKENS, VAULT)))
    everyone, _, maps = both_snapshots(good, wanted)
    assert maps == Maps(wanted, everyone)
    assert everyone != wanted
    less = replace(wanted, identities=who[:1])
    _, (tried, others), ahead = both_snapshots(good, less, maps)
    assert ahead == Maps(wanted, everyone, who[1:])
    for snapshot, standing in ((tried, wanted), (others, everyone)):
        assert snapshot.of(ROUTE_TYPE)["inbound"] == build_snapshot(standing).of(ROUTE_TYPE)["inbound"]
    # Once all have it, there is one of them.
    assert both_snapshots(None, less, ahead)[2] == Maps(wanted, wanted, who[1:])
    again = replace(less, identities=who)
    assert both_snapshots(None, again, ahead)[2] == Maps(again, again)
