from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bothways.xds.authorization import allow
from bothways.xds.route import customer_routes, inbound_routes
from bothways.xds.state import CustomerServer, HubState, Identity

RBAC = "envoy.filters.http.rbac"


def added(name: str, value: str) -> dict[str, Any]:
    """Return a header that the hub sets, whatever was there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def test_each_service_stands_under_its_prefix_for_those_who_may_reach_it_and_nothing_else_does(
    shown: Callable[[Any], Any], state: HubState, first: Identity, second: Identity
) -> None:
    def guarded(prefix: str, cluster: str, timeout: str, *identities: Identity) -> dict[str, Any]:
        return {
            "match": {"path_separated_prefix": prefix},
            "route": {"cluster": cluster, "timeout": timeout},
            "typed_per_filter_config": {RBAC: shown(allow(identities))},
        }

    message = shown(inbound_routes(state))
    assert message == {
        "name": "inbound",
        "virtual_hosts": [
            {
                "name": "inbound",
                "domains": ["api.ppr.hub.example", "api.ppr.hub.example:8443"],
                "routes": [
                    guarded("/connectivity", "connectivity", "5s", first, second),
                    guarded("/.well-known/est", "connectivity", "15s", first, second),
                    guarded("/disputes", "service/disputes", "60s"),
                    guarded("/tokens", "service/tokens", "60s", first),
                    {
                        "match": {"prefix": "/"},
                        "direct_response": {
                            "status": 404,
                            "body": {"inline_string": "No service of the hub stands at this path."},
                        },
                        "typed_per_filter_config": {RBAC: shown(allow([first, second]))},
                    },
                ],
                "request_headers_to_add": [
                    added(
                        "bothways-customer",
                        "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%",
                    ),
                    added("bothways-environment", "PPR"),
                    added("bothways-certificate", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
                ],
            }
        ],
    }


def test_no_virtual_host_of_the_endpoint_answers_to_any_name(state: HubState) -> None:
    domains = [domain for host in inbound_routes(state).virtual_hosts for domain in host.domains]
    assert [domain for domain in domains if "*" in domain] == []


def test_a_hub_without_customers_lets_nobody_pass_on_any_route(state: HubState) -> None:
    empty = replace(state, identities=(), services=tuple(replace(each, identities=()) for each in state.services))
    [host] = inbound_routes(empty).virtual_hosts
    assert [route.typed_per_filter_config[RBAC] for route in host.routes] == [allow([])] * 5


def test_a_customer_that_was_taken_out_is_in_no_map(state: HubState, first: Identity, second: Identity) -> None:
    left = replace(state, identities=(second,), services=tuple(replace(each, identities=()) for each in state.services))
    assert first.uri_id.encode() in inbound_routes(state).SerializeToString()
    assert first.uri_id.encode() not in inbound_routes(left).SerializeToString()


def test_every_route_of_the_endpoint_says_who_may_pass(state: HubState) -> None:
    [host] = inbound_routes(state).virtual_hosts
    assert [route.match for route in host.routes if RBAC not in route.typed_per_filter_config] == []


def test_the_order_in_which_services_were_found_changes_nothing(state: HubState) -> None:
    assert inbound_routes(replace(state, services=state.services[::-1])) == inbound_routes(state)


def test_the_header_leads_to_that_customers_server_and_nowhere_else(
    shown: Callable[[Any], Any], server: CustomerServer
) -> None:
    plain = replace(server, tsp_id="87654321", host="api.shop.example", port=443, path="")
    message = shown(customer_routes("egress", [server, plain]))
    [host] = message["virtual_hosts"]
    matcher = host.pop("matcher")
    assert message == {
        "name": "egress",
        "virtual_hosts": [
            {
                "name": "egress",
                "domains": ["*"],
                "request_headers_to_remove": ["bothways-customer"],
                "response_headers_to_add": [
                    added("bothways-upstream-tls", "%UPSTREAM_TLS_VERSION%"),
                    added("bothways-upstream-subject", "%UPSTREAM_PEER_SUBJECT%"),
                ],
            }
        ],
    }
    assert matcher["matcher_tree"]["input"]["typed_config"] == {
        "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": "bothways-customer",
    }
    route = {"@type": "type.googleapis.com/envoy.config.route.v3.Route", "match": {"prefix": "/"}}
    entries = matcher["matcher_tree"]["exact_match_map"]["map"]
    assert {tsp_id: entry["action"]["typed_config"] for tsp_id, entry in entries.items()} == {
        "12345678": route
        | {
            "route": {
                "cluster": "customer/12345678",
                "timeout": "30s",
                "prefix_rewrite": "/hub/",
                "host_rewrite_literal": "callbacks.bank.example:8443",
            }
        },
        "87654321": route
        | {
            "route": {
                "cluster": "customer/87654321",
                "timeout": "30s",
                "host_rewrite_literal": "api.shop.example",
            }
        },
    }
    assert matcher["on_no_match"]["action"]["typed_config"]["direct_response"]["status"] == 404


@pytest.mark.parametrize("name", ["egress", "probe"])
def test_without_customers_every_call_is_answered_404_with_the_reason(name: str) -> None:
    [host] = customer_routes(name, []).virtual_hosts
    assert not host.HasField("matcher")
    [route] = host.routes
    assert route.match.prefix == "/"
    assert route.direct_response.status == 404
    assert "Bothways-Customer names no customer" in route.direct_response.body.inline_string
