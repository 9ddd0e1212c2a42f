"""What is there for a while: a replaced cluster as long as calls may need it, and that of a probe."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_pb2

from bothways.xds import names
from bothways.xds import passing as passing_module
from bothways.xds.cluster import as_probed, customer_cluster, customer_digest
from bothways.xds.passing import (
    APART_SECONDS,
    PROBED_SECONDS,
    REPLACED_SECONDS,
    REPLACED_SECONDS_MOST,
    Passing,
)
from bothways.xds.pools import by_certificate, told_apart
from bothways.xds.resource import Resource
from bothways.xds.route import customer_entries, customer_routes
from bothways.xds.servers import ProbeWay, probe_way
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import Address, ControlPlane, HubState, KeyPair, RemoteNode

NODES = tuple(RemoteNode(each, Address("10.0.0.1", 443), Address("127.0.0.1", 1), frozenset()) for each in ("a", "b"))


def named(state: HubState) -> str:
    """Return the name of the first customer's cluster."""
    server = state.customers[0]
    return names.customer_cluster(server.tsp_id, customer_digest(server, danger_outbound_loopback=False))


def more(passing: Passing) -> set[str]:
    """Return what there is besides what the state needs."""
    return passing.snapshot().of(names.CLUSTER_TYPE).keys() - passing.base.of(names.CLUSTER_TYPE).keys()


def at_rest(base: Snapshot) -> Passing:
    """Return what is there when no client certificate has changed for long."""
    passing = Passing(base, -APART_SECONDS)
    assert passing.end(0.0)
    return passing


def is_apart(passing: Passing) -> bool:
    """Tell whether the pools of calls to customers are told apart by certificate; those of probes always are."""
    whole, base = passing.snapshot(), passing.base
    routes = route_pb2.RouteConfiguration()
    assert whole.of(names.ROUTE_TYPE)[names.EGRESS].packed.Unpack(routes)
    switches = dict(routes.typed_per_filter_config)
    routes.ClearField("typed_per_filter_config")
    # Nothing else is changed by it.
    without = route_pb2.RouteConfiguration()
    assert base.of(names.ROUTE_TYPE)[names.EGRESS].packed.Unpack(without)
    assert routes == without
    assert whole.of(names.ROUTE_TYPE)[names.PROBE] == base.of(names.ROUTE_TYPE)[names.PROBE]
    assert not switches or switches == {names.SET_FILTER_STATE_FILTER: by_certificate().typed_config}
    return bool(switches)


@pytest.fixture
def moved(state: HubState) -> Callable[[int], HubState]:
    """Return a maker of states in which the first customer's server is at another port."""
    first, *others = state.customers
    return lambda port: replace(state, customers=(replace(first, port=port), *others))


def test_without_a_change_there_is_nothing_but_the_state(state: HubState) -> None:
    base = build_snapshot(state)
    passing = at_rest(base)
    passing.follow(build_snapshot(replace(state)), 0.0)
    assert (passing.snapshot() is passing.base, passing.waits, passing.end(1e9)) == (True, False, False)


def test_a_replaced_cluster_stays_some_seconds_after_all_nodes_have_the_new_routes(
    state: HubState, moved: Callable[[int], HubState]
) -> None:
    passing = at_rest(build_snapshot(state))
    passing.follow(build_snapshot(moved(443)), 0.0)
    assert (more(passing), passing.waits) == ({named(state)}, True)
    assert not passing.end(REPLACED_SECONDS)
    passing.confirmed(50.0)
    assert not passing.waits
    assert not passing.end(50.0 + REPLACED_SECONDS - 0.1)
    assert passing.end(50.0 + REPLACED_SECONDS)
    assert more(passing) == set()


def test_a_node_that_never_confirms_keeps_nothing_at_the_others_for_ever(
    state: HubState, moved: Callable[[int], HubState]
) -> None:
    passing = at_rest(build_snapshot(state))
    passing.follow(build_snapshot(moved(443)), 0.0)
    passing.follow(build_snapshot(moved(444)), 1.0)
    assert more(passing) == {named(state), named(moved(443))}
    assert passing.end(REPLACED_SECONDS_MOST)
    assert more(passing) == {named(moved(443))}
    passing.confirmed(REPLACED_SECONDS_MOST)
    assert passing.end(REPLACED_SECONDS_MOST + 1.0)
    assert (more(passing), passing.waits) == (set(), False)


def test_what_is_changed_back_is_the_current_one_and_what_is_called_no_more_goes_at_once(
    state: HubState, moved: Callable[[int], HubState]
) -> None:
    passing = at_rest(build_snapshot(state))
    passing.follow(build_snapshot(moved(443)), 0.0)
    passing.follow(build_snapshot(state), 1.0)
    assert more(passing) == {named(moved(443))}
    passing.follow(build_snapshot(replace(state, customers=state.customers[1:])), 2.0)
    assert (more(passing), passing.waits) == (set(), False)
    assert named(state) not in passing.snapshot().of(names.CLUSTER_TYPE)


def test_a_probe_has_the_cluster_as_it_is_now_for_a_minute_after_it_asked_last(
    state: HubState, moved: Callable[[int], HubState]
) -> None:
    passing = at_rest(build_snapshot(state))
    tsp_id = state.customers[0].tsp_id
    assert (passing.probe(tsp_id, 0.0), passing.probe("unknown", 0.0)) == (True, False)

    def probed(now: HubState) -> Any:
        cluster = cluster_pb2.Cluster()
        [name] = [each for each in passing.snapshot().of(names.CLUSTER_TYPE) if each.startswith("probe/")]
        assert passing.snapshot().of(names.CLUSTER_TYPE)[name].packed.Unpack(cluster)
        server = now.customers[0]
        assert cluster == as_probed(customer_cluster(server, danger_outbound_loopback=False))
        [entry] = customer_entries(names.PROBE, [server], server.client or now.client, danger_outbound_loopback=False)
        assert name.encode() in entry
        assert passing.snapshot().of(names.ROUTE_TYPE)[names.PROBE].packed == customer_routes(names.PROBE, entry)
        return name

    before = probed(state)
    # Never an old server, or old anchors, under the name by which the new one is called.
    passing.follow(build_snapshot(moved(443)), 1.0)
    assert probed(moved(443)) != before
    assert passing.probe(tsp_id, 30.0)
    assert not passing.end(PROBED_SECONDS)
    passing.follow(build_snapshot(replace(state, customers=state.customers[1:])), 61.0)
    assert more(passing) == set()
    passing.follow(build_snapshot(state), 62.0)
    assert probed(state) == before
    assert passing.end(30.0 + PROBED_SECONDS)
    assert (more(passing), passing.snapshot() is passing.base) == (set(), True)


def test_a_probe_also_reaches_who_is_not_established_and_with_the_certificate_that_is_shown(
    state: HubState, make_pair: Callable[[str], KeyPair]
) -> None:
    first, *others = state.customers
    own = make_pair("own")
    changed = replace(first, established=False, client=own)
    passing = at_rest(build_snapshot(replace(state, customers=(changed, *others))))
    assert passing.probe(first.tsp_id, 0.0)
    egress, probes = (
        passing.snapshot().of(names.ROUTE_TYPE)[each].packed.value for each in (names.EGRESS, names.PROBE)
    )
    [entry] = customer_entries(names.PROBE, [changed], own, danger_outbound_loopback=False)
    assert (entry in probes, first.host.encode() in egress) == (True, False)


def test_ways_of_many_probes_are_in_one_order_and_made_once(state: HubState, monkeypatch: pytest.MonkeyPatch) -> None:
    first = state.customers[0]
    many = tuple(replace(first, tsp_id=each) for each in ("a", "b", "c"))
    made: list[str] = []

    def noted(cluster: Resource, secret: Resource) -> ProbeWay:
        made.append(secret.name)
        return probe_way(cluster, secret)

    monkeypatch.setattr(passing_module, "probe_way", noted)
    routes = set()
    for order in ("abc", "cba"):
        passing = at_rest(build_snapshot(replace(state, customers=many)))
        for each in order:
            passing.probe(each, 0.0)
            routes.add(passing.snapshot().of(names.ROUTE_TYPE)[names.PROBE].version)
        assert passing.probed == {"a", "b", "c"}
    # One after the other each way round is three and three, and all of them are the same at the end.
    assert (len(routes), len(made)) == (5, 6)


@pytest.mark.parametrize("reached", [{names.PROBE}, set()])
def test_remote_nodes_have_it_too_and_no_version_changes(
    state: HubState, moved: Callable[[int], HubState], reached: set[str]
) -> None:
    given: dict[str, Any] = {
        "nodes": NODES,
        "control_plane": ControlPlane(state.server, state.trust) if reached else None,
    }
    state, other = replace(state, **given), replace(moved(443), **given)
    passing = at_rest(build_snapshot(state))
    passing.follow(build_snapshot(other), 0.0)
    passing.probe(state.customers[0].tsp_id, 0.0)
    whole, base = passing.snapshot(), build_snapshot(other)

    def added(one: Snapshot, two: Snapshot) -> set[str]:
        kinds = set(names.PUSH_ORDER) - {names.CLUSTER_TYPE, names.ROUTE_TYPE}
        assert {each: one.of(each) for each in kinds} == {each: two.of(each) for each in kinds}
        routes, before = one.of(names.ROUTE_TYPE), two.of(names.ROUTE_TYPE)
        assert routes.keys() == before.keys()
        # Where the hub has no address that nodes know, no probe reaches them.
        assert {each for each in routes if routes[each] != before[each]} == ({names.PROBE} & routes.keys())
        return one.of(names.CLUSTER_TYPE).keys() - two.of(names.CLUSTER_TYPE).keys()

    there = added(whole, base)
    assert (len(there), named(state) in there, whole.version) == (2, True, base.version)
    for node in NODES:
        assert added(whole.remote[node.name], base.remote[node.name]) == there
    assert whole.remote["a"].of(names.ROUTE_TYPE).keys() & {names.PROBE} == reached
    for kind in (names.CLUSTER_TYPE, names.ROUTE_TYPE):
        one, other_node = (whole.remote[each.name].unasked(kind) for each in NODES)
        assert one is other_node


def test_pools_are_told_apart_from_a_change_of_a_client_certificate_until_no_connection_is_older(
    state: HubState, moved: Callable[[int], HubState], make_pair: Callable[[str], KeyPair]
) -> None:
    state = replace(state, nodes=NODES)
    passing = at_rest(build_snapshot(state))
    version = passing.snapshot().version
    # Another server, or another customer, is another cluster.
    passing.follow(build_snapshot(replace(moved(443), nodes=NODES)), 1.0)
    passing.follow(build_snapshot(replace(state, customers=state.customers[1:])), 2.0)
    passing.follow(build_snapshot(state), 3.0)
    assert (is_apart(passing), passing.base.version) == (False, version)
    # The hub's own, and then that of one customer alone.
    passing.follow(build_snapshot(rotated := replace(state, client=make_pair("next"))), 10.0)
    assert is_apart(passing)
    assert not passing.end(10.0 + APART_SECONDS - 1)
    first, *others = rotated.customers
    own = replace(first, client=make_pair("own"))
    passing.follow(build_snapshot(replace(rotated, customers=(own, *others))), 100.0)
    assert not passing.end(100.0 + APART_SECONDS - 1)
    whole = passing.snapshot()
    assert (is_apart(passing), whole.version) == (True, passing.base.version)
    routes = [whole.remote[each.name].of(names.ROUTE_TYPE) for each in NODES]
    assert routes[0] is routes[1]
    assert routes[0][names.EGRESS] == whole.of(names.ROUTE_TYPE)[names.EGRESS]
    assert passing.end(100.0 + APART_SECONDS)
    assert (is_apart(passing), passing.snapshot() is passing.base) == (False, True)


def test_routes_that_tell_pools_apart_have_a_version_of_their_own_and_are_made_when_they_are_sent(
    state: HubState, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = build_snapshot(state)
    plain = base.of(names.ROUTE_TYPE)[names.EGRESS]
    made: list[bytes] = []

    def noted(routes: bytes) -> bytes:
        if len(routes) > len(plain.version):
            made.append(routes)
        return told_apart(routes)

    monkeypatch.setattr(passing_module, "told_apart", noted)
    one, other = (
        Passing(build_snapshot(each), 0.0).snapshot().of(names.ROUTE_TYPE)[names.EGRESS] for each in [state] * 2
    )
    assert (one.version, made) == (other.version, [])
    assert one.version != plain.version
    moved = replace(state, customers=(replace(state.customers[0], port=9443), *state.customers[1:]))
    assert Passing(build_snapshot(moved), 0.0).snapshot().of(names.ROUTE_TYPE)[names.EGRESS].version != one.version
    assert one.packed.value == told_apart(plain.packed.value)
    assert made == [plain.packed.value]


def test_pools_are_told_apart_to_begin_with_for_nobody_knows_what_was_shown_before(state: HubState) -> None:
    passing = Passing(build_snapshot(state), 0.0)
    assert is_apart(passing)
    assert not passing.end(APART_SECONDS - 1)
    assert passing.end(APART_SECONDS)
    assert not is_apart(passing)
