from collections.abc import Callable
from typing import Any

from bothways.xds.authorization import deny_all
from bothways.xds.client_cert import client_cert_filter
from bothways.xds.egress_reply import replies_to_services
from bothways.xds.manager import customers_manager, endpoint_manager, plain_manager
from bothways.xds.pools import by_certificate, by_certificate_for_a_while
from bothways.xds.reply import replies_to_customers
from bothways.xds.state import HubState
from bothways.xds.typed import any_of, over_own_stream
from bothways.xds.untrusted import trailers_filter, without_untrusted_headers

ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        "suppress_envoy_headers": True,
    },
}
CUSTOMERS_ROUTER = {**ROUTER, "typed_config": {**ROUTER["typed_config"], "dynamic_stats": False}}  # type: ignore[dict-item]
PLAIN = {
    "stat_prefix": "egress",
    "rds": {"route_config_name": "egress", "config_source": {"ads": {}, "resource_api_version": "V3"}},
    "http_filters": [ROUTER],
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    "max_request_headers_kb": 32,
    "request_headers_timeout": "10s",
    "stream_idle_timeout": "300s",
    "common_http_protocol_options": {
        "idle_timeout": "300s",
        "headers_with_underscores_action": "REJECT_REQUEST",
        "max_headers_count": 100,
    },
    "http2_protocol_options": {
        "max_concurrent_streams": 100,
        "initial_stream_window_size": 65536,
        "initial_connection_window_size": 1048576,
    },
    "always_set_request_id_in_response": True,
}


def test_a_path_means_one_thing_slow_clients_are_cut_and_nobody_uses_more_than_a_share(
    shown: Callable[[Any], Any],
) -> None:
    assert shown(plain_manager("egress")) == PLAIN


def test_a_customers_server_is_asked_for_when_it_is_called_and_connections_are_told_apart_by_certificate(
    shown: Callable[[Any], Any],
) -> None:
    on_demand = {
        "name": "envoy.filters.http.on_demand",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.OnDemand",
            # On a stream of its own.
            "odcds": {"source": shown(over_own_stream("ads")), "timeout": "10s"},
        },
    }
    replies = {"local_reply_config": shown(replies_to_services())}
    filters = [on_demand, shown(by_certificate_for_a_while()), CUSTOMERS_ROUTER]
    assert shown(customers_manager("egress", None)) == PLAIN | {"http_filters": filters} | replies
    # What a probe needs is there before: nothing of it is asked for, and kept for good.
    assert shown(customers_manager("probe", None))["http_filters"] == [shown(by_certificate()), CUSTOMERS_ROUTER]


def test_at_the_endpoint_who_may_pass_is_asked_first_and_nothing_is_believed(
    shown: Callable[[Any], Any], state: HubState
) -> None:
    message = shown(endpoint_manager(state))
    assert message.pop("early_header_mutation_extensions") == [shown(without_untrusted_headers())]
    common = {**PLAIN["common_http_protocol_options"], "max_stream_duration": "1500s"}  # type: ignore[dict-item]
    assert message == PLAIN | {
        "stat_prefix": "inbound",
        "rds": {"route_config_name": "inbound", "config_source": {"ads": {}, "resource_api_version": "V3"}},
        "http_filters": [
            {
                "name": "bothways.withdrawn",
                "config_discovery": {
                    "config_source": {"ads": {}, "resource_api_version": "V3"},
                    # A listener that starts waits for it, and one that waits in vain lets nobody pass.
                    "default_config": shown(any_of(deny_all())),
                    "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"],
                },
            },
            {"name": "bothways.service_rbac", "typed_config": shown(any_of(deny_all()))},
            {"name": "envoy.filters.http.rbac", "typed_config": shown(any_of(deny_all()))},
            shown(client_cert_filter()),
            shown(trailers_filter()),
            ROUTER,
        ],
        "common_http_protocol_options": common,
        "use_remote_address": True,
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "100::", "prefix_len": 128}]},
        "local_reply_config": shown(replies_to_customers(state)),
    }
