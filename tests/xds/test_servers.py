"""What serves one customer is made once, and is the same however the customers are divided into parts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.route.v3 import route_pb2
from google.protobuf import any_pb2

from bothways.xds import names, servers
from bothways.xds.cluster import customer_cluster
from bothways.xds.parts import place
from bothways.xds.resource import Resource
from bothways.xds.route import customer_entries, customer_routes
from bothways.xds.servers import ServerPart, Servers, of_customers, probe_way
from bothways.xds.snapshot import build_snapshot
from bothways.xds.state import CustomerServer, HubState


@pytest.fixture
def many(server: CustomerServer) -> list[CustomerServer]:
    found = [replace(server, tsp_id=f"{number}", host=f"h{number}.example") for number in range(7)]
    return [*found[:3], replace(found[3], established=False), *found[4:]]


def divided(customers: list[CustomerServer], count: int) -> Servers:
    """Divide them into so many parts, by their places."""
    parts = [[each for each in customers if place(each.tsp_id, count) == number] for number in range(count)]
    return Servers(ServerPart(tuple(each)) for each in parts)


def test_the_parts_make_no_difference(state: HubState, many: list[CustomerServer]) -> None:
    one, *others = [
        build_snapshot(replace(state, customers=each)) for each in (many, divided(many, 3), divided(many, 8))
    ]
    for other in others:
        assert (one.version, {**one.on_demand_of(names.CLUSTER_TYPE)}) == (
            other.version,
            {**other.on_demand_of(names.CLUSTER_TYPE)},
        )
        first, second = (each.of(names.ROUTE_TYPE)[names.EGRESS] for each in (one, other))
        assert first.version == second.version
        # In another order where the places say so.
        message = route_pb2.RouteConfiguration
        assert message.FromString(first.packed.value) == message.FromString(second.packed.value)
    called = one.of(names.ROUTE_TYPE)[names.EGRESS].packed.value
    assert (b"h2.example" in called, b"h3.example" in called) == (True, False)


def test_nobody_has_a_way_for_probes_before_a_probe_is_made(state: HubState, many: list[CustomerServer]) -> None:
    found = build_snapshot(replace(state, customers=divided(many, 3))).of(names.ROUTE_TYPE)[names.PROBE]
    assert found.packed == customer_routes(names.PROBE, b"")


def test_the_way_for_a_probe_is_made_of_what_nodes_have(state: HubState) -> None:
    snapshot = build_snapshot(state)
    [cluster, *_] = snapshot.on_demand_of(names.CLUSTER_TYPE).values()
    with pytest.raises(TypeError, match="not those that were made of a customer's server"):
        probe_way(cluster, snapshot.of(names.SECRET_TYPE)[names.SERVER_CERTIFICATE])


def test_what_did_not_change_is_not_made_again(
    state: HubState, many: list[CustomerServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, changed = divided(many, 2).parts
    before = of_customers(replace(state, customers=Servers([kept, changed])))
    made: set[str] = set()
    make = customer_entries

    def noted(name: str, customers: Sequence[CustomerServer], *given: Any, **named: Any) -> Iterator[bytes]:
        made.update(each.tsp_id for each in customers)
        return make(name, customers, *given, **named)

    monkeypatch.setattr(servers, "customer_entries", noted)
    # Another change than of a customer's server leaves everything as it is, for others to see at once.
    assert of_customers(replace(state, customers=Servers([kept, changed]), shut="tested")) is before
    first, *others = changed.items
    moved = ServerPart((replace(first, host="elsewhere.example"), *others))
    after = of_customers(replace(state, customers=Servers([kept, moved])))
    assert made == {each.tsp_id for each in changed.items if each.established}
    assert 0 < len(made) < len(many)
    secret = names.client_certificate(kept.items[0].tsp_id)
    assert after.on_demand[names.SECRET_TYPE][secret] is before.on_demand[names.SECRET_TYPE][secret]
    assert after.digest != before.digest


def test_another_client_certificate_of_the_hub_is_another_one_for_those_without_their_own(
    state: HubState, many: list[CustomerServer]
) -> None:
    own = replace(state.server, fingerprint="ab")
    customers = Servers([ServerPart((many[0], replace(many[1], client=own)))])
    state = replace(state, customers=customers)
    before = of_customers(state)
    after = of_customers(replace(state, client=state.server))
    one, two = (
        {each[names.client_certificate(tsp_id)].version for each in (before.on_demand[names.SECRET_TYPE], now)}
        for tsp_id, now in (("0", after.on_demand[names.SECRET_TYPE]), ("1", after.on_demand[names.SECRET_TYPE]))
    )
    assert (len(one), len(two)) == (2, 1)


def test_a_resource_has_another_version_exactly_where_it_has_another_content(
    state: HubState, server: CustomerServer
) -> None:
    own = replace(state.server, fingerprint="ab")
    changed = [
        server,
        replace(server),
        replace(server, host="elsewhere.example"),
        replace(server, port=9443),
        replace(server, spki_pins=("ab" * 32,)),
        replace(server, let_go=1),
        replace(server, client=own),
        replace(server, path="/elsewhere"),
        replace(server, established=False),
        replace(server, anchors=state.trust),
    ]
    snapshots = [
        build_snapshot(replace(state, customers=(each,), danger_outbound_loopback=loopback, client=client))
        for each in changed
        for loopback in (False, True)
        for client in (state.client, state.server)
    ]
    for type_url in (names.CLUSTER_TYPE, names.SECRET_TYPE):
        found = [each for one in snapshots for each in one.on_demand_of(type_url).values()]
        assert len(found) == len(snapshots)
        contents = {(each.name, each.packed.value) for each in found}
        assert len({(each.name, each.version) for each in found}) == len(contents) > 1
        assert len({(each.name, each.version, each.packed.value) for each in found}) == len(contents)
        assert all(each == Resource(each.name, each.version, each.packed) for each in found)
    name = names.EGRESS
    routes = {(each.version, each.packed.value) for one in snapshots if (each := one.of(names.ROUTE_TYPE)[name])}
    assert len({version for version, _ in routes}) == len({content for _, content in routes}) == len(routes) > 1


def test_a_release_that_makes_clusters_in_another_way_gives_them_other_versions(
    state: HubState, server: CustomerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> str:
        servers._cluster_form.cache_clear()
        [cluster] = of_customers(replace(state, customers=(replace(server),))).on_demand[names.CLUSTER_TYPE].values()
        return cluster.version

    def another(server: CustomerServer, *, danger_outbound_loopback: bool) -> cluster_pb2.Cluster:
        made: cluster_pb2.Cluster = customer_cluster(server, danger_outbound_loopback=danger_outbound_loopback)
        made.connect_timeout.seconds += 1
        return made

    before = version()
    assert version() == before
    monkeypatch.setattr(servers, "customer_cluster", another)
    assert version() != before
    monkeypatch.undo()
    assert version() == before


def test_a_release_that_makes_routes_in_another_way_gives_them_other_versions(
    state: HubState, server: CustomerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def versions() -> list[str]:
        servers._routes_form.cache_clear()
        there, nobody = (of_customers(replace(state, customers=each)) for each in ((replace(server),), ()))
        servers._of_all.cache_clear()
        return [each.version for one in (there, nobody) for each in one.routes]

    def another(name: str, entries: bytes) -> any_pb2.Any:
        packed = customer_routes(name, entries)
        return any_pb2.Any(type_url=packed.type_url, value=packed.value + b"more")

    before = versions()
    assert versions() == before
    # Those of probes lead nowhere in either.
    assert len({*before}) == 3
    monkeypatch.setattr(servers, "customer_routes", another)
    assert not {*versions()} & {*before}
    monkeypatch.undo()
    assert versions() == before


def test_the_routes_are_not_made_before_somebody_asks_for_them(
    state: HubState, server: CustomerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []

    def noted(name: str, entries: bytes) -> any_pb2.Any:
        if name == names.EGRESS:
            made.append(entries)
        return customer_routes(name, entries)

    of_customers(state)
    monkeypatch.setattr(servers, "customer_routes", noted)
    found = of_customers(replace(state, customers=(replace(server, host="later.example"),)))
    assert made == []
    egress, _ = found.routes
    assert b"later.example" in egress.packed.value
    assert (len(made), egress.packed is egress.packed) == (1, True)


@pytest.mark.parametrize("host", ["h0.example", "elsewhere.example"])
def test_two_servers_of_one_customer_cannot_be_built(state: HubState, many: list[CustomerServer], host: str) -> None:
    for count in (1, 3):
        with pytest.raises(ValueError, match="two servers are of one customer"):
            build_snapshot(replace(state, customers=divided([*many, replace(many[0], host=host)], count)))


def test_a_server_out_of_its_place_cannot_be_built(state: HubState, many: list[CustomerServer]) -> None:
    one, two = divided(many, 2).parts
    with pytest.raises(ValueError, match="in another part than its place"):
        build_snapshot(replace(state, customers=Servers([two, one])))


def test_nobody_is_nothing(state: HubState) -> None:
    assert of_customers(replace(state, customers=())).on_demand == {}
    assert build_snapshot(replace(state, customers=divided([], 2))) == build_snapshot(replace(state, customers=()))
