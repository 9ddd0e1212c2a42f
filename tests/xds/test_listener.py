from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bothways.xds.access_log import connection_logs, request_logs
from bothways.xds.listener import egress_listener, inbound_listener, node_listener, probe_listener
from bothways.xds.manager import customers_manager, endpoint_manager
from bothways.xds.state import Address, ControlPlane, HubState, RemoteNode
from bothways.xds.tls import inbound_socket
from bothways.xds.typed import any_of

BUILDERS = [inbound_listener, egress_listener, probe_listener]


def manager(shown: Callable[[Any], Any], listener: Any) -> dict[str, Any]:
    [chain] = shown(listener)["filter_chains"]
    [one] = chain["filters"]
    assert one["name"] == "envoy.filters.network.http_connection_manager"
    config: dict[str, Any] = one["typed_config"]
    return config


def test_the_endpoint_listens_for_its_host_name_alone_over_mutual_tls(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    message = shown(inbound_listener(state))
    del message["filter_chains"][0]["filters"], message["access_log"]
    assert message == {
        "name": "inbound",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 18443}},
        "stat_prefix": "inbound",
        "per_connection_buffer_limit_bytes": 65536,
        "listener_filters_timeout": "5s",
        "traffic_direction": "INBOUND",
        "enable_reuse_port": False,
        "listener_filters": [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
                    "enable_ja4_fingerprinting": True,
                },
            }
        ],
        "filter_chains": [
            {
                "name": "inbound",
                "filter_chain_match": {"server_names": ["api.ppr.hub.example"]},
                "transport_socket": shown(inbound_socket()),
                "transport_socket_connect_timeout": "10s",
            }
        ],
    }


def test_the_endpoint_has_no_way_past_its_host_name_and_its_tls(state: HubState) -> None:
    listener = inbound_listener(state)
    assert not listener.HasField("default_filter_chain")
    assert [each.transport_socket for each in listener.filter_chains] == [inbound_socket()]


@pytest.mark.parametrize("build", BUILDERS)
def test_routes_come_over_ads_so_that_their_change_drains_no_connection(
    shown: Callable[[Any], Any], state: HubState, build: Callable[[HubState], Any]
) -> None:
    listener = build(state)
    assert manager(shown, listener)["rds"] == {
        "route_config_name": listener.name,
        "config_source": {"ads": {}, "resource_api_version": "V3"},
    }


@pytest.mark.parametrize("build", BUILDERS)
def test_two_envoys_never_share_a_port_silently(state: HubState, build: Callable[[HubState], Any]) -> None:
    listener = build(state)
    assert listener.HasField("enable_reuse_port")
    assert listener.enable_reuse_port.value is False


def test_services_call_over_tcp_where_the_settings_say(state: HubState) -> None:
    listener = egress_listener(replace(state, egress=Address("10.1.2.3", 9000)))
    assert listener.name == "egress"
    assert (listener.address.socket_address.address, listener.address.socket_address.port_value) == ("10.1.2.3", 9000)


def test_a_node_takes_probes_under_a_name_of_its_own_beside_the_endpoint(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    node = RemoteNode("eu-1", Address("10.0.0.1", 443), Address("127.0.0.1", 15001), frozenset(["a"]))
    there = inbound_listener(replace(state, inbound=node.inbound))
    assert node_listener(state, node) == there
    listener = node_listener(replace(state, control_plane=ControlPlane(state.server, state.trust)), node)
    endpoint, probes = listener.filter_chains
    assert [endpoint] == list(there.filter_chains)
    assert list(probes.filter_chain_match.server_names) == ["eu-1.node.api.ppr.hub.example"]
    assert probes.transport_socket == inbound_socket("probe-trust")
    [one] = shown(probes)["filters"]
    assert one["typed_config"] == shown(any_of(customers_manager("probe", None)))


def test_probes_have_a_unix_socket_that_this_user_alone_can_use(state: HubState) -> None:
    listener = probe_listener(state)
    assert listener.name == "probe"
    assert (listener.address.pipe.path, listener.address.pipe.mode) == ("/run/probe.sock", 0o600)


def test_the_endpoints_requests_are_read_by_its_own_manager(shown: Callable[[Any], Any], state: HubState) -> None:
    found = manager(shown, inbound_listener(state))
    del found["access_log"]
    assert found == shown(any_of(endpoint_manager(state)))


@pytest.mark.parametrize("build", [egress_listener, probe_listener])
def test_calls_to_customers_are_read_by_the_manager_of_customers(
    shown: Callable[[Any], Any], state: HubState, build: Callable[[HubState], Any]
) -> None:
    listener = build(state)
    assert manager(shown, listener) == shown(any_of(customers_manager(listener.name, None)))


def test_customers_alone_are_counted_so_that_they_cannot_keep_the_hub_from_calling(state: HubState) -> None:
    assert [build(state).ignore_global_conn_limit for build in BUILDERS] == [False, True, True]


def test_the_endpoint_logs_why_it_refuses_and_the_inside_logs_nothing(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    listener = inbound_listener(state)
    assert list(listener.access_log) == connection_logs()
    assert manager(shown, listener)["access_log"] == [shown(each) for each in request_logs()]
    for build in (egress_listener, probe_listener):
        assert "access_log" not in shown(build(state))
        assert "access_log" not in manager(shown, build(state))
