"""What goes ahead of the maps, and what a node keeps. For any order: `properties/test_withdrawn.py`."""

from dataclasses import replace
from typing import Any

import pytest
from envoy.config.core.v3 import extension_pb2

from bothways.xds import names, withdrawn
from bothways.xds.authorization import refused_by
from bothways.xds.snapshot import Snapshot, build_snapshot, withdrawn_resource
from bothways.xds.state import HubState, Identity
from bothways.xds.subscription import Subscription
from bothways.xds.withdrawn import ahead, for_node

LIST = names.WITHDRAWN_FILTER


def having(versions: dict[str, str]) -> Subscription:
    """Return what is known of a node that asked for lists and maps, and has confirmed these."""
    return Subscription(named={LIST, "inbound"}, sent=versions, confirmed=versions)


ASKING, OLDER = having({}), having({"inbound": "older"})


def less(state: HubState, *gone: Identity) -> HubState:
    """Return the state in which these certificates open nothing any more."""
    services = tuple(replace(each, identities=_others(each.identities, gone)) for each in state.services)
    return replace(state, identities=_others(state.identities, gone), services=services)


def _others(identities: Any, gone: tuple[Identity, ...]) -> tuple[Identity, ...]:
    return tuple(each for each in identities if each not in gone)


def refused(snapshot: Snapshot) -> frozenset[str]:
    found = snapshot.of(names.EXTENSION_TYPE)[LIST]
    return refused_by(extension_pb2.TypedExtensionConfig.FromString(found.packed.value).typed_config.value)


def version_of(snapshot: Snapshot, type_url: str) -> str:
    return snapshot.of(type_url)[{names.EXTENSION_TYPE: LIST, names.ROUTE_TYPE: "inbound"}[type_url]].version


def test_what_is_taken_away_is_refused_beside_the_maps_that_stand(
    state: HubState, first: Identity, second: Identity
) -> None:
    assert ahead(state, less(state, second)) == replace(state, withdrawn=(second,))
    assert ahead(state, less(state, second, first)) == replace(state, withdrawn=(first, second))


def test_all_else_that_changed_with_it_goes_out_at_once(state: HubState, second: Identity) -> None:
    wanted = replace(less(state, second), customers=state.customers[:1])
    found = ahead(state, wanted)
    assert (found.withdrawn, found.customers) == ((second,), wanted.customers)
    maps = build_snapshot(state).of(names.ROUTE_TYPE)["inbound"]
    assert build_snapshot(found).of(names.ROUTE_TYPE)["inbound"] == maps


def test_where_nothing_stands_or_nothing_is_lost_the_maps_go_out(state: HubState, second: Identity) -> None:
    third = Identity("urn:bothways:PPR:87654321:3c", "87654321")
    less_one = less(state, second)
    granted = replace(state.services[1], identities=(second,))
    for standing, wanted in (
        (None, less_one),
        (state, state),
        # It was resumed, or never was in the maps that are out.
        (less_one, state),
        # Somebody waits for what is new.
        (state, replace(less_one, identities=(*less_one.identities, third))),
        (state, replace(less_one, services=(state.services[0], granted))),
        (state, replace(less_one, services=state.services[:1])),
        # A grant that is withdrawn: its customer may still enter.
        (state, replace(less_one, services=(replace(state.services[0], identities=()), state.services[1]))),
        (state, replace(less_one, port=443)),
        (state, replace(less_one, closures=2)),
        (state, replace(less_one, shut="a stranger was let in", closures=1)),
    ):
        assert ahead(standing, wanted) is wanted


def test_with_too_many_withdrawn_the_maps_go_out(
    state: HubState, first: Identity, second: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawn, "MOST", 1)
    assert ahead(state, less(state, second)).withdrawn == (second,)
    both = less(state, first, second)
    assert ahead(state, both) is both


def test_a_node_that_has_the_maps_has_the_list_that_goes_with_them(state: HubState, first: Identity) -> None:
    snapshot = build_snapshot(state)
    versions = {"inbound": snapshot.of(names.ROUTE_TYPE)["inbound"].version}
    known = withdrawn_resource([first.uri_id])
    assert for_node(snapshot, having({LIST: known.version}), having(versions), known) is snapshot
    # What is under way may come after it.
    under_way = replace(having(versions), pending={"7": {"inbound": "older"}})
    assert refused(for_node(snapshot, having({LIST: known.version}), under_way, known)) == {first.uri_id}


def test_a_node_without_the_maps_refuses_whoever_it_was_told_to_refuse_and_waits_for_the_longer_list(
    state: HubState, first: Identity, second: Identity
) -> None:
    snapshot, sent = build_snapshot(replace(state, withdrawn=(second,))), withdrawn_resource([first.uri_id])
    given = for_node(snapshot, having({LIST: sent.version}), OLDER, sent)
    assert refused(given) == {first.uri_id, second.uri_id}
    # What a node has in this version it is not sent.
    assert (given.version, version_of(given, names.ROUTE_TYPE)) == (snapshot.version, "older")
    longer = withdrawn_resource([first.uri_id, second.uri_id])
    assert version_of(given, names.EXTENSION_TYPE) == longer.version
    has_it = for_node(snapshot, having({LIST: longer.version}), OLDER, longer)
    assert version_of(has_it, names.ROUTE_TYPE) == version_of(snapshot, names.ROUTE_TYPE)


@pytest.mark.parametrize("withdrawn_too", [True, False])
def test_a_node_from_elsewhere_keeps_its_list_until_it_has_maps_that_need_none(
    state: HubState, second: Identity, *, withdrawn_too: bool
) -> None:
    snapshot = build_snapshot(replace(state, withdrawn=(second,) if withdrawn_too else ()))
    given = for_node(snapshot, having({LIST: "of another control plane"}), OLDER, None)
    assert version_of(given, names.EXTENSION_TYPE) == "of another control plane"
    assert (version_of(given, names.ROUTE_TYPE) == "older") is withdrawn_too


def test_a_node_that_starts_is_given_both_and_one_with_other_maps_those_first(state: HubState) -> None:
    snapshot = build_snapshot(state)
    assert for_node(snapshot, ASKING, having({}), None) == snapshot
    given = for_node(snapshot, ASKING, OLDER, None)
    assert (version_of(given, names.EXTENSION_TYPE), given.of(names.ROUTE_TYPE)) == ("", snapshot.of(names.ROUTE_TYPE))
