from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from google.protobuf import json_format

from bothways.xds import names
from bothways.xds.authorization import refused_by
from bothways.xds.bootstrap import bootstrap
from bothways.xds.cluster import customer_digest
from bothways.xds.identities import Identities, Part
from bothways.xds.listener import node_listener
from bothways.xds.passing import Passing
from bothways.xds.resource import Resource
from bothways.xds.route import inbound_routes
from bothways.xds.snapshot import Snapshot, build_snapshot, withdrawn_resource
from bothways.xds.state import Address, ControlPlane, HubState, Identity, KeyPair, RemoteNode
from bothways.xds.tls import key_pair_secret, probe_trust_secret
from bothways.xds.typed import any_of

MESSAGES = {
    names.EXTENSION_TYPE: extension_pb2.TypedExtensionConfig,
    names.SECRET_TYPE: secret_pb2.Secret,
    names.CLUSTER_TYPE: cluster_pb2.Cluster,
    names.LISTENER_TYPE: listener_pb2.Listener,
    names.ROUTE_TYPE: route_pb2.RouteConfiguration,
}


def named(snapshot: Snapshot) -> dict[str, set[str]]:
    return {type_url: set(snapshot.of(type_url)) for type_url in names.PUSH_ORDER}


def changes(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the names of what is new or different."""
    return {
        name
        for type_url in names.PUSH_ORDER
        for name, resource in after.of(type_url).items()
        if before.of(type_url).get(name) != resource
    }


def unpacked(snapshot: Snapshot, type_url: str) -> dict[str, Any]:
    messages = {name: MESSAGES[type_url]() for name in snapshot.of(type_url)}
    assert all(resource.packed.Unpack(messages[name]) for name, resource in snapshot.of(type_url).items())
    return messages


def test_a_snapshot_holds_everything_that_a_state_needs(state: HubState) -> None:
    assert named(build_snapshot(state)) == {
        names.EXTENSION_TYPE: {"bothways.withdrawn"},
        names.SECRET_TYPE: {
            "server-certificate",
            "customer-trust",
            "client-certificate/12345678",
            "client-certificate/87654321",
        },
        names.CLUSTER_TYPE: {
            "connectivity",
            "service/tokens",
            "service/disputes",
            *(
                f"customer/{each.tsp_id}/{customer_digest(each, danger_outbound_loopback=False)}"
                for each in state.customers
            ),
        },
        names.LISTENER_TYPE: {"inbound", "egress", "probe"},
        names.ROUTE_TYPE: {"inbound", "egress", "probe"},
    }


def test_the_hubs_client_key_is_sent_only_when_there_is_a_server_to_call(state: HubState) -> None:
    without = build_snapshot(replace(state, customers=()))
    assert set(without.of(names.SECRET_TYPE)) == {"server-certificate", "customer-trust"}


def probed(state: HubState) -> Snapshot:
    """Return what nodes have of a state while all its customers are probed."""
    passing = Passing(build_snapshot(state), 0.0)
    for each in state.customers:
        assert passing.probe(each.tsp_id, 0.0)
    return passing.snapshot()


def test_a_customer_that_is_not_established_is_reached_by_probes_alone(state: HubState) -> None:
    routes = unpacked(probed(state), names.ROUTE_TYPE)
    reached = {name: set(routes[name].virtual_hosts[0].matcher.matcher_tree.exact_match_map.map) for name in routes}
    assert reached == {"inbound": set(), "egress": {"12345678"}, "probe": {"12345678", "87654321"}}


def test_every_cluster_that_a_route_names_is_in_the_snapshot(state: HubState) -> None:
    snapshot = probed(state)
    routes = unpacked(snapshot, names.ROUTE_TYPE)
    [inbound] = routes["inbound"].virtual_hosts
    used = {route.route.cluster for route in inbound.routes if route.route.cluster}
    for name in ("egress", "probe"):
        for entry in routes[name].virtual_hosts[0].matcher.matcher_tree.exact_match_map.map.values():
            route = MESSAGES[names.ROUTE_TYPE]().virtual_hosts.add().routes.add()
            assert entry.action.typed_config.Unpack(route)
            used.add(route.route.cluster)
    # Whoever is not established is called by probes alone.
    [unused] = snapshot.of(names.CLUSTER_TYPE).keys() - used
    assert unused.startswith("customer/87654321/")
    assert used < snapshot.of(names.CLUSTER_TYPE).keys()


def test_who_is_withdrawn_is_refused_beside_maps_that_stay_as_they_are(
    state: HubState, first: Identity, second: Identity
) -> None:
    before, after = build_snapshot(state), build_snapshot(replace(state, withdrawn=(second, first)))
    assert changes(before, after) == {"bothways.withdrawn"}
    assert before.version != after.version
    for snapshot, refused in ((before, set()), (after, {first.uri_id, second.uri_id})):
        [listed] = unpacked(snapshot, names.EXTENSION_TYPE).values()
        assert refused_by(listed.typed_config.value) == refused
        assert withdrawn_resource(refused) == snapshot.of(names.EXTENSION_TYPE)["bothways.withdrawn"]


def test_a_shut_endpoint_has_no_listener_and_routes_that_refuse_whoever_is_still_connected(state: HubState) -> None:
    before, shut = build_snapshot(state), build_snapshot(replace(state, shut="let in", closures=1))
    assert named(shut)[names.LISTENER_TYPE] == {"egress", "probe"}
    # The routes that the listener had, so that it gets them while it is drained; nobody is named in them.
    assert named(shut)[names.ROUTE_TYPE] == named(before)[names.ROUTE_TYPE]
    assert (
        any_of(inbound_routes(replace(state, identities=(), services=())))
        == shut.of(names.ROUTE_TYPE)["inbound"].packed
    )
    assert shut.lingering == {
        names.EXTENSION_TYPE: {"bothways.withdrawn"},
        names.SECRET_TYPE: {"server-certificate", "customer-trust"},
        names.ROUTE_TYPE: {"inbound"},
    }
    assert changes(before, shut) == {"inbound"}


def test_an_endpoint_that_is_open_again_has_routes_that_nobody_from_before_is_given(state: HubState) -> None:
    again = build_snapshot(replace(state, closures=2))
    assert named(again)[names.ROUTE_TYPE] == {"inbound/2", "egress", "probe"}
    [chain] = unpacked(again, names.LISTENER_TYPE)["inbound"].filter_chains
    manager = http_connection_manager_pb2.HttpConnectionManager()
    assert chain.filters[0].typed_config.Unpack(manager)
    assert manager.rds.route_config_name == "inbound/2"
    assert again.lingering == {}
    # Shut a third time, it is the same routes that refuse.
    assert (
        set(build_snapshot(replace(state, shut="x", closures=3)).of(names.ROUTE_TYPE)) == named(again)[names.ROUTE_TYPE]
    )


def test_equal_states_have_equal_versions_and_bytes(state: HubState) -> None:
    one, other = build_snapshot(state), build_snapshot(replace(state))
    assert one == other


def test_the_order_of_customers_and_services_changes_no_version(state: HubState) -> None:
    turned = replace(state, customers=state.customers[::-1], services=state.services[::-1])
    assert build_snapshot(turned) == build_snapshot(state)


def test_taking_a_certificate_out_changes_the_routes_of_the_endpoint_and_nothing_else(state: HubState) -> None:
    before = build_snapshot(state)
    after = build_snapshot(replace(state, identities=state.identities[1:]))
    assert changes(before, after) == {"inbound"}
    assert before.of(names.LISTENER_TYPE) == after.of(names.LISTENER_TYPE)
    assert before.version != after.version


def test_rotating_the_client_certificate_changes_secrets_and_routes_and_no_cluster(
    state: HubState, make_pair: Callable[[str], KeyPair]
) -> None:
    rotated = replace(state, client=make_pair("next"))
    assert changes(build_snapshot(state), build_snapshot(rotated)) == {
        "client-certificate/12345678",
        "client-certificate/87654321",
        "egress",
    }


def test_a_certificate_for_one_customer_alone_changes_its_secret_and_no_others(
    state: HubState, make_pair: Callable[[str], KeyPair]
) -> None:
    own = make_pair("own")
    first, second = state.customers
    after = build_snapshot(replace(state, customers=(replace(first, client=own), second)))
    assert changes(build_snapshot(state), after) == {f"client-certificate/{first.tsp_id}", "egress"}
    secrets = unpacked(after, names.SECRET_TYPE)
    shown = {tsp_id: secrets[f"client-certificate/{tsp_id}"].tls_certificate for tsp_id in ("12345678", "87654321")}
    assert shown["12345678"].private_key.inline_string == own.key_pem
    assert shown["87654321"].private_key.inline_string == state.client.key_pem


def test_a_resource_is_packed_as_it_was_built(state: HubState) -> None:
    resource = build_snapshot(state).of(names.SECRET_TYPE)["server-certificate"]
    assert resource.packed == any_of(key_pair_secret("server-certificate", state.server))


def test_two_resources_of_one_name_are_refused(state: HubState) -> None:
    with pytest.raises(ValueError, match=r"two resources of .*Cluster have one name"):
        build_snapshot(replace(state, services=state.services + state.services[:1]))


def test_a_remote_node_takes_probes_at_its_endpoint_from_the_control_plane_alone(state: HubState) -> None:
    control_plane = ControlPlane(state.server, state.trust)
    state = replace(state, nodes=(FIRST,), control_plane=control_plane)
    remote = build_snapshot(state).remote["eu-1"]
    assert names.PROBE in remote.of(names.ROUTE_TYPE)
    assert remote.of(names.SECRET_TYPE)[names.PROBE_TRUST].packed == any_of(
        probe_trust_secret(state.trust, state.environment)
    )
    assert remote.of(names.LISTENER_TYPE)["inbound"].packed == any_of(node_listener(state, FIRST))
    assert build_snapshot(state).of(names.SECRET_TYPE).keys() == remote.of(names.SECRET_TYPE).keys() - {"probe-trust"}
    shut = build_snapshot(replace(state, shut="a stranger was let in", closures=1)).remote["eu-1"]
    assert (
        names.PROBE_TRUST in shut.lingering[names.SECRET_TYPE],
        names.PROBE in shut.lingering[names.ROUTE_TYPE],
    ) == (
        True,
        True,
    )


FIRST = RemoteNode("eu-1", Address("10.0.0.1", 443), Address("127.0.0.1", 15001), frozenset(["a"]))
SECOND = RemoteNode("eu-2", Address("10.0.0.2", 8443), Address("127.0.0.1", 15002), frozenset(["b"]))


def test_a_remote_node_has_what_the_embedded_one_has_but_the_ways_of_the_control_planes_host(state: HubState) -> None:
    whole = build_snapshot(replace(state, nodes=(FIRST, SECOND)))
    assert set(whole.remote) == {"eu-1", "eu-2"}
    for node in (FIRST, SECOND):
        remote = whole.remote[node.name]
        assert remote.version == whole.version
        assert named(remote) == {
            names.EXTENSION_TYPE: {"bothways.withdrawn"},
            names.SECRET_TYPE: set(whole.of(names.SECRET_TYPE)),
            names.CLUSTER_TYPE: set(whole.of(names.CLUSTER_TYPE)) - {"connectivity"},
            names.LISTENER_TYPE: {"inbound", "egress"},
            names.ROUTE_TYPE: {"inbound", "egress"},
        }
        # What is large is there once, however many nodes there are.
        assert remote.unasked(names.SECRET_TYPE) is whole.unasked(names.SECRET_TYPE)
        assert remote.on_demand is whole.on_demand
        for type_url in (names.CLUSTER_TYPE, names.ROUTE_TYPE):
            assert all(whole.of(type_url)[name] is resource for name, resource in remote.of(type_url).items())
        there = replace(state, inbound=node.inbound, egress=node.egress)
        assert remote.of(names.LISTENER_TYPE) == {
            name: resource
            for name, resource in build_snapshot(there).of(names.LISTENER_TYPE).items()
            if name != names.PROBE
        }


def test_a_node_that_comes_from_another_control_plane_has_all_that_it_would_be_sent(state: HubState) -> None:
    """What the machine of a control plane has for itself, its ports and sockets, is in nothing of a remote node."""
    elsewhere = replace(
        state,
        inbound=Address("192.0.2.7", 8444),
        egress=Address("192.0.2.7", 15009),
        probe_socket="/elsewhere/probe.sock",
        connectivity_socket="/elsewhere/connectivity.sock",
    )
    here, there = (build_snapshot(replace(each, nodes=(FIRST,))) for each in (state, elsewhere))
    assert here.version != there.version
    assert here.remote["eu-1"].resources == there.remote["eu-1"].resources


def test_an_endpoint_that_is_shut_is_shut_at_every_node(state: HubState) -> None:
    whole = build_snapshot(replace(state, nodes=(FIRST,), shut="a stranger was let in", closures=1))
    remote = whole.remote["eu-1"]
    assert set(remote.of(names.LISTENER_TYPE)) == {"egress"}
    assert remote.lingering == whole.lingering
    assert remote.of(names.ROUTE_TYPE)["inbound"] is whole.of(names.ROUTE_TYPE)["inbound"]
    again = build_snapshot(replace(state, nodes=(FIRST,), closures=1)).remote["eu-1"]
    assert (set(again.of(names.LISTENER_TYPE)), set(again.of(names.ROUTE_TYPE))) == (
        {"inbound", "egress"},
        {"inbound/1", "egress"},
    )


def test_a_node_that_comes_moves_or_goes_changes_the_version_and_nothing_of_another_node(state: HubState) -> None:
    alone, both = (build_snapshot(replace(state, nodes=nodes)) for nodes in ((FIRST,), (FIRST, SECOND)))
    moved = build_snapshot(replace(state, nodes=(FIRST, replace(SECOND, inbound=Address("10.0.0.3", 8443)))))
    assert len({each.version for each in (build_snapshot(state), alone, both, moved)}) == 4
    for each in (alone, both, moved):
        assert each.remote["eu-1"].resources == alone.remote["eu-1"].resources
        assert each.resources == build_snapshot(state).resources
    assert changes(both.remote["eu-2"], moved.remote["eu-2"]) == {"inbound"}
    assert build_snapshot(replace(state, nodes=(SECOND, FIRST))) == both
    # Which certificates open the control plane is nothing that a node is told.
    assert build_snapshot(replace(state, nodes=(replace(FIRST, fingerprints=frozenset()), SECOND))) == both


def test_a_type_that_is_not_served_is_empty(state: HubState) -> None:
    assert build_snapshot(state).of("type.googleapis.com/unknown") == {}


@pytest.mark.envoy
@pytest.mark.parametrize("loopback", [False, True])
@pytest.mark.parametrize("empty", [False, True])
def test_the_real_envoy_takes_every_resource(
    state: HubState,
    validated: Callable[[Any], str],
    loopback: bool,  # noqa: FBT001 - both settings are the point
    empty: bool,  # noqa: FBT001 - as above
) -> None:
    state = replace(state, danger_outbound_loopback=loopback)
    if empty:
        state = replace(state, identities=(), services=(), customers=())
    assert validated(everything_static(build_snapshot(state))) == ""


@pytest.mark.envoy
def test_the_real_envoy_sees_what_is_inside(state: HubState, validated: Callable[[Any], str]) -> None:
    wrong = everything_static(build_snapshot(state))
    wrong.static_resources.clusters[1].name = ""
    assert "Name: value length must be at least 1" in validated(wrong)


def everything_static(snapshot: Snapshot) -> Any:
    """Return a bootstrap that holds all resources itself: what comes over ADS is not looked at when validating."""
    message = json_format.Parse(bootstrap("node", "/run/ads.sock", "/run/admin.sock"), bootstrap_pb2.Bootstrap())
    static = message.static_resources
    static.secrets.extend(unpacked(snapshot, names.SECRET_TYPE).values())
    static.clusters.extend(unpacked(snapshot, names.CLUSTER_TYPE).values())
    for cluster in static.clusters:
        # Envoy 1.40 crashes when a cluster of the bootstrap itself is initialised and has its secret from ADS. Ours
        # come over ADS with their secrets; `tests/wire/test_dns.py` has this field in a running Envoy.
        cluster.ClearField("wait_for_warm_on_init")
    routes = unpacked(snapshot, names.ROUTE_TYPE)
    for name, listener in unpacked(snapshot, names.LISTENER_TYPE).items():
        [connection_manager] = listener.filter_chains[0].filters
        manager = http_connection_manager_pb2.HttpConnectionManager()
        assert connection_manager.typed_config.Unpack(manager)
        manager.route_config.CopyFrom(routes[name])
        connection_manager.typed_config.CopyFrom(any_of(manager))
        static.listeners.append(listener)
    return message


def test_maps_that_stand_are_not_made_again(state: HubState) -> None:
    def maps(wanted: HubState) -> Resource:
        return build_snapshot(wanted).of(names.ROUTE_TYPE)["inbound"]

    parts = Identities([Part(tuple(state.identities))])
    services = tuple(replace(each, identities=parts) for each in state.services)
    state = replace(state, identities=parts, services=services)
    before = maps(state)
    assert maps(replace(state, withdrawn=tuple(state.identities[:1]), customers=(), client=state.server)) is before
    others = [
        replace(state, identities=Identities([Part(tuple(state.identities[1:]))])),
        replace(state, services=(replace(services[0], identities=()), *services[1:])),
        replace(state, services=(replace(services[0], prefix="/elsewhere"), *services[1:])),
        replace(state, host="elsewhere.example"),
        replace(state, shut="tested", closures=1),
    ]
    assert len({before.version, *(maps(each).version for each in others)}) == len(others) + 1
    assert maps(state) == before
