"""Pools of connections to customers are told apart by the certificate that the route names, where that is on."""

from collections.abc import Callable
from typing import Any

from envoy.config.route.v3 import route_pb2

from bothways.xds.pools import by_certificate, by_certificate_for_a_while, told_apart


def test_the_filter_hands_the_fingerprint_of_the_route_to_the_pool(shown: Callable[[Any], Any]) -> None:
    filter_ = {
        "name": "envoy.filters.http.set_filter_state",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
            "on_request_headers": [
                {
                    "object_key": "bothways.client_certificate",
                    "factory_key": "envoy.hashable_string",
                    "format_string": {
                        "text_format_source": {"inline_string": "%METADATA(ROUTE:bothways:client_certificate)%"}
                    },
                    "read_only": True,
                    "shared_with_upstream": "ONCE",
                }
            ],
        },
    }
    assert shown(by_certificate()) == filter_
    assert shown(by_certificate_for_a_while()) == filter_ | {"disabled": True}


def test_routes_switch_it_on_and_are_the_same_otherwise(shown: Callable[[Any], Any]) -> None:
    routes = route_pb2.RouteConfiguration(name="egress")
    routes.virtual_hosts.add(name="egress", domains=["*"])
    switched = route_pb2.RouteConfiguration.FromString(told_apart(routes.SerializeToString()))
    assert shown(switched) == shown(routes) | {
        "typed_per_filter_config": {"envoy.filters.http.set_filter_state": shown(by_certificate())["typed_config"]}
    }
