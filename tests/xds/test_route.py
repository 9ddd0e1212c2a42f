import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from envoy.config.route.v3 import route_pb2

from bothways.xds.authorization import enter, reach, reach_by_all
from bothways.xds.client_cert import with_client_cert
from bothways.xds.cluster import customer_digest
from bothways.xds.route import customer_entries, customer_routes, inbound_routes
from bothways.xds.state import CustomerServer, HubState, Identity
from bothways.xds.typed import any_of
from bothways.xds.untrusted import without_untrusted_trailers

RBAC = "envoy.filters.http.rbac"
SERVICE = "bothways.service_rbac"


def added(name: str, value: str) -> dict[str, Any]:
    """Return a header that the hub sets, whatever was there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


RETRIES = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 2,
    "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.250s"},
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": "3",
}


def test_each_service_stands_under_its_prefix_for_those_who_may_reach_it_and_nothing_else_does(
    shown: Callable[[Any], Any], state: HubState, first: Identity, second: Identity
) -> None:
    def own(prefix: str, timeout: str) -> dict[str, Any]:
        return {
            "match": {"path_separated_prefix": prefix},
            "route": {"cluster": "connectivity", "timeout": timeout, "retry_policy": RETRIES},
            "typed_per_filter_config": {SERVICE: shown(reach_by_all())},
        }

    tokens = {
        "match": {"path_separated_prefix": "/tokens"},
        "route": {
            "cluster": "service/tokens",
            "timeout": "60s",
            "idle_timeout": "300s",
            "retry_policy": RETRIES,
        },
        "typed_per_filter_config": {SERVICE: shown(reach([first], [first, second]))},
    }
    disputes = {
        "match": {"path_separated_prefix": "/disputes"},
        "route": {
            "cluster": "service/disputes",
            "timeout": "0s",
            "idle_timeout": "30s",
            "max_stream_duration": {"max_stream_duration": "600s"},
            "retry_policy": RETRIES,
            "regex_rewrite": {"pattern": {"regex": "^/disputes/?"}, "substitution": "/"},
        },
        "typed_per_filter_config": {
            SERVICE: shown(reach([], [first, second])),
            "envoy.filters.http.lua": shown(any_of(with_client_cert())),
            "envoy.filters.http.header_mutation": shown(any_of(without_untrusted_trailers())),
        },
    }
    message = shown(inbound_routes(state))
    assert message == {
        "name": "inbound",
        "virtual_hosts": [
            {
                "name": "inbound",
                "domains": ["api.ppr.hub.example", "api.ppr.hub.example:8443"],
                "routes": [
                    own("/connectivity", "5s"),
                    own("/.well-known/est", "15s"),
                    disputes,
                    tokens,
                    {
                        "match": {"prefix": "/"},
                        "direct_response": {
                            "status": 404,
                            "body": {"inline_string": "No service of the hub stands at this path."},
                        },
                        "typed_per_filter_config": {SERVICE: shown(reach_by_all())},
                    },
                ],
                "request_headers_to_add": [
                    added(
                        "bothways-customer",
                        "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%",
                    ),
                    added("bothways-environment", "PPR"),
                    added("bothways-certificate", "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
                    added(
                        "x-forwarded-client-cert",
                        "Hash=%DOWNSTREAM_PEER_FINGERPRINT_256%;"
                        'Subject="%DOWNSTREAM_PEER_SUBJECT%";URI=%DOWNSTREAM_PEER_URI_SAN%',
                    ),
                ],
                "typed_per_filter_config": {RBAC: shown(enter([first, second]))},
            }
        ],
    }


def to_tokens(state: HubState, **changes: Any) -> Any:
    """Return how `tokens` is called if it is changed like this."""
    tokens = replace(state.services[0], **changes)
    [host] = inbound_routes(replace(state, services=(tokens,))).virtual_hosts
    [action] = [each.route for each in host.routes if each.route.cluster == "service/tokens"]
    return action


def test_nothing_is_tried_again_that_a_service_may_have_begun(state: HubState) -> None:
    # A payment is not made twice: of Envoy's conditions these alone promise that the service saw no request.
    conditions = set(to_tokens(state).retry_policy.retry_on.split(","))
    assert conditions <= {"connect-failure", "refused-stream", "reset-before-request"}
    assert not to_tokens(state).retry_policy.HasField("per_try_timeout")


@pytest.mark.parametrize(
    ("timeout", "streaming", "wanted"),
    [
        (60, 0, (60, 300, None)),
        (5, 0, (5, 300, None)),
        (600, 0, (600, 600, None)),
        (60, 600, (0, 60, 600)),
        (5, 86400, (0, 5, 86400)),
    ],
)
def test_a_time_out_is_for_the_answer_or_for_the_silence_of_a_stream_and_everything_ends(
    state: HubState, timeout: int, streaming: int, wanted: tuple[int, int, int | None]
) -> None:
    action = to_tokens(state, timeout=timeout, streaming=streaming)
    assert action.HasField("timeout")  # Without it Envoy has a time-out of its own.
    # With it, Envoy looks at `timeout` no more.
    longest = action.max_stream_duration.max_stream_duration.seconds if action.HasField("max_stream_duration") else None
    assert (action.timeout.seconds, action.idle_timeout.seconds, longest) == wanted


@pytest.mark.parametrize(
    ("changes", "upgrades"),
    [({}, []), ({"streaming": 600}, ["websocket"]), ({"streaming": 600, "http2": True}, [])],
)
def test_websockets_pass_to_services_that_stream_over_http_1(
    state: HubState, changes: dict[str, Any], upgrades: list[str]
) -> None:
    assert [each.upgrade_type for each in to_tokens(state, **changes).upgrade_configs] == upgrades


@pytest.mark.parametrize(
    ("prefix", "path", "seen"),
    [
        ("/tokens", "/tokens", "/"),
        ("/tokens", "/tokens/", "/"),
        ("/tokens", "/tokens/new", "/new"),
        ("/tokens", "/tokens/tokens/new", "/tokens/new"),
        ("/a.b/c~-_", "/a.b/c~-_/d", "/d"),
    ],
)
def test_a_prefix_is_stripped_once_and_a_path_is_left(state: HubState, prefix: str, path: str, seen: str) -> None:
    rewrite = to_tokens(state, prefix=prefix, strip_prefix=True).regex_rewrite
    assert re.sub(rewrite.pattern.regex, rewrite.substitution, path) == seen


def test_the_longest_prefix_is_looked_at_first(state: HubState) -> None:
    prefixes = ("/a", "/b/c", "/a/b", "/a/b/c")
    services = tuple(replace(state.services[0], name=f"s{at}", prefix=each) for at, each in enumerate(prefixes))
    [host] = inbound_routes(replace(state, services=services)).virtual_hosts
    found = [each.match.path_separated_prefix for each in host.routes[2:-1]]
    assert found == ["/a/b/c", "/a/b", "/b/c", "/a"]


def test_no_virtual_host_of_the_endpoint_answers_to_any_name(state: HubState) -> None:
    domains = [domain for host in inbound_routes(state).virtual_hosts for domain in host.domains]
    assert [domain for domain in domains if "*" in domain] == []


def test_a_hub_without_customers_lets_nobody_pass_on_any_route(state: HubState) -> None:
    empty = replace(state, identities=(), services=tuple(replace(each, identities=()) for each in state.services))
    [host] = inbound_routes(empty).virtual_hosts
    assert host.typed_per_filter_config[RBAC] == enter([])
    reached = {each.route.cluster: each.typed_per_filter_config[SERVICE] for each in host.routes}
    assert reached["service/tokens"] == reached["service/disputes"] == enter([])


def test_a_customer_that_was_taken_out_is_in_no_map(state: HubState, first: Identity, second: Identity) -> None:
    left = replace(state, identities=(second,), services=tuple(replace(each, identities=()) for each in state.services))
    assert first.uri_id.encode() in inbound_routes(state).SerializeToString()
    assert first.uri_id.encode() not in inbound_routes(left).SerializeToString()


def test_the_map_of_all_certificates_stands_once(state: HubState, second: Identity) -> None:
    assert inbound_routes(state).SerializeToString().count(second.uri_id.encode()) == 1


def test_every_route_says_who_may_go_on_and_none_who_may_enter(state: HubState) -> None:
    [host] = inbound_routes(state).virtual_hosts
    assert [SERVICE in each.typed_per_filter_config for each in host.routes] == [True] * 5
    assert [RBAC in each.typed_per_filter_config for each in host.routes] == [False] * 5


def test_the_order_in_which_services_were_found_changes_nothing(state: HubState) -> None:
    assert inbound_routes(replace(state, services=state.services[::-1])) == inbound_routes(state)


def unpacked(packed: Any) -> Any:
    routes = route_pb2.RouteConfiguration()
    assert packed.Unpack(routes)
    return routes


def test_the_header_leads_to_that_customers_server_and_nowhere_else(
    shown: Callable[[Any], Any], state: HubState, server: CustomerServer
) -> None:
    own = replace(state.server, fingerprint="ab")
    plain = replace(server, tsp_id="87654321", host="api.shop.example", port=443, path="", client=own)
    entries = customer_entries("egress", [server, plain], state.client, danger_outbound_loopback=False)
    message = shown(unpacked(customer_routes("egress", b"".join(entries))))
    digests = [customer_digest(each, danger_outbound_loopback=False) for each in (server, plain)]
    [host] = message["virtual_hosts"]
    matcher = host.pop("matcher")
    assert message == {
        "name": "egress",
        "virtual_hosts": [
            {
                "name": "egress",
                "domains": ["*"],
                "request_headers_to_remove": ["bothways-customer"],
                "response_headers_to_remove": ["bothways-finding"],
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
                "cluster": f"customer/12345678/{digests[0]}",
                "timeout": "30s",
                "prefix_rewrite": "/hub/",
                "host_rewrite_literal": "callbacks.bank.example:8443",
            },
            "metadata": {"filter_metadata": {"bothways": {"client_certificate": state.client.fingerprint}}},
        },
        "87654321": route
        | {
            "route": {
                "cluster": f"customer/87654321/{digests[1]}",
                "timeout": "30s",
                "host_rewrite_literal": "api.shop.example",
            },
            "metadata": {"filter_metadata": {"bothways": {"client_certificate": "ab"}}},
        },
    }
    assert matcher["on_no_match"]["action"]["typed_config"]["direct_response"]["status"] == 404


@pytest.mark.parametrize("name", ["egress", "probe"])
def test_without_customers_every_call_is_answered_404_with_the_reason(state: HubState, name: str) -> None:
    assert [*customer_entries(name, [], state.client, danger_outbound_loopback=False)] == []
    [host] = unpacked(customer_routes(name, b"")).virtual_hosts
    assert not host.HasField("matcher")
    [route] = host.routes
    assert route.match.prefix == "/"
    assert route.direct_response.status == 404
    assert "Bothways-Customer names no customer" in route.direct_response.body.inline_string
