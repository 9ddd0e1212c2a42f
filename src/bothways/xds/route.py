"""Route configurations: the endpoint's services, and the way from a customer's identifier to its server."""

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import struct_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.registry.service import ENROLMENT_PREFIX, RESERVED_PREFIX
from bothways.xds import names
from bothways.xds.authorization import ENFORCED_CUSTOMER, enter, reach, reach_by_all
from bothways.xds.client_cert import with_client_cert
from bothways.xds.cluster import customer_digest
from bothways.xds.state import CustomerServer, HubState, KeyPair, ServiceRoute
from bothways.xds.typed import any_of, duration, inside, matching_extension
from bothways.xds.untrusted import without_untrusted_trailers

_NOT_FOUND = 404
_HTTPS = 443
_IDLE_TIMEOUT = 300.0
_CUSTOMER_TIMEOUT = 30.0
_CONNECTIVITY_TIMEOUT = 5.0
_ENROLMENT_TIMEOUT = 15.0
# Only what certainly never reached the service is sent again: a payment must not be made twice. Envoy's other
# conditions, 5xx and reset among them, cannot tell what the service did before it failed.
_RETRY_ON = "connect-failure,refused-stream,reset-before-request"
_RETRIES = 2
_RETRY_BACK_OFF, _RETRY_BACK_OFF_MOST = 0.025, 0.25
_OTHER_ADDRESS_TRIES = 3
# What Envoy itself would write, for half of what that costs a request.
_FORWARDED = 'Hash=%DOWNSTREAM_PEER_FINGERPRINT_256%;Subject="%DOWNSTREAM_PEER_SUBJECT%";URI=%DOWNSTREAM_PEER_URI_SAN%'


def inbound_routes(state: HubState) -> Any:
    """Return the routes of the endpoint: each service under its prefix, for those who may reach it now.

    The map of all certificates stands once, at the virtual host; each route says who of them may go on. While the
    endpoint is shut, they are for those who came in before it was: nobody may do anything.
    """
    if state.shut:
        state = replace(state, identities=(), services=())
    connectivity = _own(RESERVED_PREFIX, _CONNECTIVITY_TIMEOUT)
    enrolment = _own(ENROLMENT_PREFIX, _ENROLMENT_TIMEOUT)
    nothing_here = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        direct_response=_not_found("No service of the hub stands at this path."),
        typed_per_filter_config={names.SERVICE_RBAC_FILTER: reach_by_all()},
    )
    # The longest first, for the first that matches is the one.
    services = sorted(state.services, key=lambda each: (-len(each.prefix), each.prefix))
    routes = route_pb2.RouteConfiguration(name=names.inbound_routes(state.opening))
    # The listener has this host only; with the port, because clients of another port than 443 send it.
    virtual_host = routes.virtual_hosts.add(
        name=names.INBOUND,
        domains=state.authorities,
        routes=[connectivity, enrolment, *(_to_service(each, state) for each in services), nothing_here],
        request_headers_to_add=[
            _header(names.CUSTOMER_HEADER, ENFORCED_CUSTOMER),
            _header(names.ENVIRONMENT_HEADER, state.environment.value),
            _header(names.CERTIFICATE_HEADER, "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
            _header(names.FORWARDED_HEADER, _FORWARDED),
        ],
    )
    # In its place, and not passed on: with 100,000 certificates, each copy takes 10 ms.
    virtual_host.typed_per_filter_config[names.RBAC_FILTER].CopyFrom(enter(state.identities))
    return routes


def around_the_maps(state: HubState) -> tuple[Hashable, ...]:
    """Return all that the routes of the endpoint are made of, besides the certificates in their maps."""
    services = tuple(replace(each, identities=()) for each in state.services)
    return (state.environment, state.authorities, state.opening, bool(state.shut), services)


def customer_routes(name: str, entries: bytes) -> Any:
    """Return the routes, packed, that lead from the header `Bothways-Customer` to a customer's server, nowhere else.

    `entries` are those of `customer_entries`, one behind the other. Whoever is not among them is
    answered here: no node asks for the cluster of a customer that nobody knows.
    """
    unknown = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        direct_response=_not_found("Bothways-Customer names no customer whose outbound flow is established."),
    )
    virtual_host = route_components_pb2.VirtualHost(
        name=name,
        domains=["*"],
        request_headers_to_remove=[names.CUSTOMER_HEADER],
        response_headers_to_remove=[names.FINDING_HEADER],
        response_headers_to_add=[
            _header(names.UPSTREAM_TLS_HEADER, "%UPSTREAM_TLS_VERSION%"),
            _header(names.UPSTREAM_SUBJECT_HEADER, "%UPSTREAM_PEER_SUBJECT%"),
        ],
    )
    if entries:
        tree = matcher_pb2.Matcher.MatcherTree(
            input=matching_extension(
                "customer", http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=names.CUSTOMER_HEADER)
            )
        )
        otherwise = matcher_pb2.Matcher.OnMatch(action=matching_extension("route", unknown))
        virtual_host.matcher.CopyFrom(matcher_pb2.Matcher(matcher_tree=tree, on_no_match=otherwise))
    else:
        virtual_host.routes.append(unknown)
    # The entries were encoded before, so they go in as they are: a message that comes twice is merged with itself.
    path = ("matcher", "matcher_tree", "exact_match_map")
    host = [virtual_host.SerializeToString(deterministic=True)]
    if entries:
        host += inside(route_components_pb2.VirtualHost, path, entries)
    packed = any_of(route_pb2.RouteConfiguration(name=name))
    packed.value = b"".join((packed.value, *inside(route_pb2.RouteConfiguration, ("virtual_hosts",), *host)))
    return packed


def customer_entries(
    name: str, customers: Iterable[CustomerServer], client: KeyPair, *, danger_outbound_loopback: bool
) -> Iterator[bytes]:
    """Yield the entry of each of these customers in the routes of this name: a `MatchMap`, serialized.

    `client` is shown to whoever has no client certificate of its own.
    """
    cluster = names.probe_cluster if name == names.PROBE else names.customer_cluster
    for each in customers:
        digest = customer_digest(each, danger_outbound_loopback=danger_outbound_loopback)
        route = _to_customer(each, cluster(each.tsp_id, digest), (each.client or client).fingerprint)
        entry = {each.tsp_id: matcher_pb2.Matcher.OnMatch(action=matching_extension("route", route))}
        yield bytes(matcher_pb2.Matcher.MatcherTree.MatchMap(map=entry).SerializeToString(deterministic=True))


def _own(prefix: str, timeout: float) -> Any:
    return route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(path_separated_prefix=prefix),
        # Of several control planes, one may have died a moment ago.
        route=route_components_pb2.RouteAction(
            cluster=names.CONNECTIVITY_CLUSTER, timeout=duration(timeout), retry_policy=_retry_policy()
        ),
        typed_per_filter_config={names.SERVICE_RBAC_FILTER: reach_by_all()},
    )


def _to_service(service: ServiceRoute, state: HubState) -> Any:
    action = route_components_pb2.RouteAction(
        cluster=names.service_cluster(service.name),
        retry_policy=_retry_policy(),
    )
    if service.streaming:
        # The whole answer has no end to wait for: silence has one. Beside a bound of the route, Envoy would not look at
        # `timeout` at all; the bound of other services is the listener's.
        action.timeout.CopyFrom(duration(0))
        action.idle_timeout.CopyFrom(duration(service.timeout))
        action.max_stream_duration.max_stream_duration.CopyFrom(duration(service.streaming))
    else:
        action.timeout.CopyFrom(duration(service.timeout))
        # Waiting for the answer is no silence of its own, however long it may take.
        action.idle_timeout.CopyFrom(duration(max(_IDLE_TIMEOUT, service.timeout)))
    # Over HTTP/2 there is no upgrade; gRPC needs none.
    if service.streaming and not service.http2:
        action.upgrade_configs.add(upgrade_type="websocket")
    if service.strip_prefix:
        action.regex_rewrite.pattern.regex = f"^{re.escape(service.prefix)}/?"
        action.regex_rewrite.substitution = "/"
    filters = {names.SERVICE_RBAC_FILTER: reach(service.identities, state.identities)}
    if service.client_cert:
        filters[names.LUA_FILTER] = any_of(with_client_cert())
    if service.http2:
        filters[names.TRAILERS_FILTER] = any_of(without_untrusted_trailers())
    return route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(path_separated_prefix=service.prefix),
        route=action,
        typed_per_filter_config=filters,
    )


def _retry_policy() -> Any:
    other_address = route_components_pb2.RetryPolicy.RetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts",
        typed_config=any_of(previous_hosts_pb2.PreviousHostsPredicate()),
    )
    policy = route_components_pb2.RetryPolicy(
        retry_on=_RETRY_ON,
        retry_back_off=route_components_pb2.RetryPolicy.RetryBackOff(
            base_interval=duration(_RETRY_BACK_OFF), max_interval=duration(_RETRY_BACK_OFF_MOST)
        ),
        retry_host_predicate=[other_address],
        host_selection_retry_max_attempts=_OTHER_ADDRESS_TRIES,
    )
    policy.num_retries.value = _RETRIES
    return policy


def _to_customer(customer: CustomerServer, cluster: str, fingerprint: str) -> Any:
    port = "" if customer.port == _HTTPS else f":{customer.port}"
    shown = struct_pb2.Struct()
    shown.update({names.CLIENT_CERTIFICATE: fingerprint})
    return route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        route=route_components_pb2.RouteAction(
            cluster=cluster,
            timeout=duration(_CUSTOMER_TIMEOUT),
            prefix_rewrite=f"{customer.path}/" if customer.path else "",
            host_rewrite_literal=f"{customer.host}{port}",
        ),
        metadata=base_pb2.Metadata(filter_metadata={names.METADATA: shown}),
    )


def _header(name: str, value: str) -> Any:
    return base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=name, value=value),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def _not_found(detail: str) -> Any:
    return route_components_pb2.DirectResponseAction(status=_NOT_FOUND, body=base_pb2.DataSource(inline_string=detail))
