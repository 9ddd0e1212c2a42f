import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bothways.xds import names
from bothways.xds.authorization import deny_all
from bothways.xds.listener import egress_listener, inbound_listener, probe_listener
from bothways.xds.state import Address, HubState
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
    del message["filter_chains"][0]["filters"]
    assert message == {
        "name": "inbound",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 18443}},
        "per_connection_buffer_limit_bytes": 1048576,
        "enable_reuse_port": False,
        "listener_filters": [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
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


def test_who_may_pass_is_asked_first_and_the_answer_is_nobody_unless_a_route_says_so(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    router = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        "suppress_envoy_headers": True,
    }
    assert manager(shown, inbound_listener(state))["http_filters"] == [
        {"name": "envoy.filters.http.rbac", "typed_config": shown(any_of(deny_all()))},
        {"name": "envoy.filters.http.router", "typed_config": router},
    ]


def test_identity_headers_are_removed_before_anything_reads_them(shown: Callable[[Any], Any], state: HubState) -> None:
    [extension] = manager(shown, inbound_listener(state))["early_header_mutation_extensions"]
    prefix = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3"
    assert extension["typed_config"] == {
        "@type": f"{prefix}.HeaderMutation",
        "mutations": [{"remove": header} for header in names.IDENTITY_HEADERS],
    }


def test_the_forwarded_certificate_is_set_from_the_handshake_and_never_taken_over(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    found = manager(shown, inbound_listener(state))
    assert found["forward_client_cert_details"] == "SANITIZE_SET"
    assert found["set_current_client_cert_details"] == {"subject": True, "uri": True}
    assert found["use_remote_address"] is True


@pytest.mark.parametrize("build", BUILDERS)
def test_a_path_means_one_thing_and_slow_clients_are_cut(
    shown: Callable[[Any], Any], state: HubState, build: Callable[[HubState], Any]
) -> None:
    wanted = {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": 32,
        "request_headers_timeout": "10s",
        "stream_idle_timeout": "300s",
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "always_set_request_id_in_response": True,
    }
    found = manager(shown, build(state))
    assert {key: found[key] for key in wanted} == wanted


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


def test_probes_have_a_unix_socket_that_this_user_alone_can_use(state: HubState) -> None:
    listener = probe_listener(state)
    assert listener.name == "probe"
    assert (listener.address.pipe.path, listener.address.pipe.mode) == ("/run/probe.sock", 0o600)


def test_an_unknown_host_name_is_answered_421_and_errors_are_problems(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    replies = manager(shown, inbound_listener(state))["local_reply_config"]
    others = [
        {
            "header_filter": {
                "header": {
                    "name": ":authority",
                    "string_match": {"exact": authority, "ignore_case": True},
                    "invert_match": True,
                }
            }
        }
        for authority in (state.host, f"{state.host}:{state.port}")
    ]
    other_host, denied = replies["mappers"]
    assert (other_host["filter"], other_host["status_code"]) == ({"and_filter": {"filters": others}}, 421)
    assert denied["filter"]["status_code_filter"]["comparison"]["value"]["default_value"] == 403
    assert "GET /connectivity" in denied["body"]["inline_string"]
    assert replies["body_format"]["content_type"] == "application/problem+json"
    assert replies["body_format"]["json_format"]["status"] == "%RESPONSE_CODE%"


def test_each_request_to_the_endpoint_is_logged_with_the_certificate_and_no_key(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    [log] = manager(shown, inbound_listener(replace(state, access_log="/run/access.log")))["access_log"]
    assert log["typed_config"]["path"] == "/run/access.log"
    line = log["typed_config"]["log_format"]["json_format"]
    assert line["customer"] == "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%"
    assert line["uri_id"] == "%DOWNSTREAM_PEER_URI_SAN%"
    assert line["fingerprint"] == "%DOWNSTREAM_PEER_FINGERPRINT_256%"
    assert "AUTHORIZATION" not in json.dumps(line).upper()
