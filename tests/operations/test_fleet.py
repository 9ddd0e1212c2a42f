"""How nodes stand, put together from what several control planes say."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.conftest import NOW

from bothways.errors import NotFound
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.fleet import left_behind, merged, planes_at_work, stored_nodes
from bothways.operations.hub import Hub
from bothways.operations.nodes import withdraw_node
from bothways.operations.settings import Settings
from bothways.operations.standing import unknown
from bothways.store import fleet
from bothways.store.fleet import Told
from bothways.store.schema import audit
from bothways.xds.state import Address


def connected(name: str, plane: str = "hub-1", **changed: Any) -> dict[str, Any]:
    since = {"since": NOW.isoformat(), "version": "v1", "answered_at": NOW.isoformat()}
    return unknown(name) | since | {"connected": True, "settled": True, "control_plane": plane} | changed


def told(*nodes: dict[str, Any], alive: bool = True, seconds_ago: int = 0) -> Told:
    return Told("b", "hub-2", NOW - timedelta(seconds=seconds_ago), alive, 0, 0, nodes)


def of(found: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(each[name] for name in names) for each in found]


def test_a_node_that_is_connected_elsewhere_is_not_away() -> None:
    found = merged([connected("eu-1"), unknown("eu-2")], [told(connected("eu-2", "hub-2"))], NOW)
    assert of(found, "node", "connected", "control_plane") == [("eu-1", True, "hub-1"), ("eu-2", True, "hub-2")]


def test_the_nodes_of_a_control_plane_that_is_gone_are_not_connected_and_what_they_had_is_told() -> None:
    gone = told(connected("eu-2", "hub-2"), alive=False, seconds_ago=9)
    [found] = merged([unknown("eu-2")], [gone], NOW)
    assert (found["connected"], found["settled"], found["version"]) == (False, False, "v1")
    assert (found["since"], found["lag_seconds"]) == ((NOW - timedelta(seconds=9)).isoformat(), 9.0)


def test_of_what_several_remember_the_last_is_told() -> None:
    early, late = ((NOW - timedelta(seconds=seconds)).isoformat() for seconds in (50, 20))
    own = unknown("eu-1") | {"since": late, "version": "v3", "behind_since": late}
    left = unknown("eu-1") | {"since": early, "version": "v2", "behind_since": early}
    [found] = merged([own], [told(left)], NOW)
    assert (found["version"], found["lag_seconds"]) == ("v3", 20.0)


def test_what_nobody_has_seen_has_no_lag_and_what_is_withdrawn_is_not_told() -> None:
    assert of(merged([unknown("eu-1")], [told(connected("gone"), alive=False)], NOW), "node", "lag_seconds") == [
        ("eu-1", None)
    ]


def test_the_envoy_beside_a_control_plane_that_is_gone_may_go_on_and_is_told_until_that_one_is_back() -> None:
    def of_plane(name: str, *nodes: dict[str, Any], alive: bool = False) -> Told:
        return replace(told(*nodes, alive=alive, seconds_ago=9), name=name)

    embedded = connected("ppr-embedded", "hub-2")
    gone = of_plane("hub-2", embedded, connected("eu-1", "hub-2"))
    [found] = left_behind([gone, of_plane("hub-2", embedded)], "ppr-embedded", "hub-1")
    assert (found["node"], found["connected"], found["version"]) == ("ppr-embedded at hub-2", False, "v1")
    own = [connected("ppr-embedded")]
    assert of(merged(own, [gone], NOW, [found]), "node", "lag_seconds") == [
        ("ppr-embedded", 0.0),
        ("ppr-embedded at hub-2", 9.0),
    ]
    # It is back, or was this one; or it ended with its Envoy.
    assert left_behind([of_plane("hub-2", alive=True), gone], "ppr-embedded", "hub-1") == []
    assert left_behind([gone], "ppr-embedded", "hub-2") == []
    assert left_behind([of_plane("hub-2", connected("eu-1")), gone], "ppr-embedded", "hub-1") == []


def test_the_envoy_beside_a_control_plane_that_is_gone_for_good_is_withdrawn_as_a_node_is(
    shared_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, name = shared_hub, "ppr-embedded at hub-2"
    with hub.observations.write(hub.now()) as transaction:
        for id_, plane in (("a" * 32, "hub-1"), ("b" * 32, "hub-2")):
            fleet.begin(transaction, id_, plane)
            fleet.write(transaction, id_, {1: connected("ppr-embedded", plane)}, ())
            fleet.write_probed(transaction, id_, ["12345678"])
    # It is there, and nobody can say that it is not.
    with pytest.raises(NotFound):
        withdraw_node(hub, name, "tested")
    monkeypatch.setattr(fleet, "GONE", timedelta(0))
    assert [each["node"] for each in stored_nodes(hub)] == ["ppr-embedded at hub-1", name]
    withdraw_node(hub, name, "its machine is gone")
    assert [each["node"] for each in stored_nodes(hub)] == ["ppr-embedded at hub-1"]
    with hub.read() as connection:
        [line] = connection.execute(select(audit).where(audit.c.action == "node.withdraw"))
    assert (line.subject, "its machine is gone" in line.detail) == (name, True)
    # One that comes back puts itself on record again.
    with hub.observations.write(hub.now()) as transaction:
        assert not fleet.beat(transaction, "b" * 32, 1, 1)
    with pytest.raises(NotFound):
        withdraw_node(hub, name, "tested")


def test_a_node_that_is_behind_says_for_how_long() -> None:
    since = (NOW - timedelta(seconds=3)).isoformat()
    found = merged([connected("eu-1", settled=False, behind_since=since), connected("eu-2")], (), NOW)
    assert of(found, "node", "lag_seconds") == [("eu-1", 3.0), ("eu-2", 0.0)]


def test_while_no_control_plane_runs_here_it_is_told_what_the_nodes_had(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    inside = replace(hub, settings=replace(settings, nodes_port=1, nodes_connectivity_port=2))
    place = Address("127.0.0.1", 1)
    for name in ("eu-1", "eu-2"):
        bootstrap_node(inside, name, tmp_path / name, [place], [place])
    with hub.observations.write(hub.now()) as transaction:
        fleet.begin(transaction, "a", "hub-1")
        fleet.write(transaction, "a", {1: connected("eu-1")}, ())
    found = {each["node"]: each for each in stored_nodes(hub)}
    # With a database that others reach, it may be connected to one of them.
    assert found["eu-1"]["connected"] is hub.database.shared
    assert (found["eu-1"]["version"], found["eu-2"]["since"]) == ("v1", None)


def test_whoever_has_a_heart_that_beats_is_at_work(shared_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with shared_hub.observations.write(shared_hub.now()) as transaction:
        fleet.begin(transaction, "a", "hub-1")
        fleet.write(transaction, "a", {1: connected("ppr-embedded")}, ())
    assert planes_at_work(shared_hub) == ("hub-1",)
    assert of(stored_nodes(shared_hub), "node", "connected") == [("ppr-embedded", True)]
    monkeypatch.setattr(fleet, "GONE", timedelta(0))
    assert planes_at_work(shared_hub) == ()
    assert of(stored_nodes(shared_hub), "node", "connected") == [("ppr-embedded at hub-1", False)]
