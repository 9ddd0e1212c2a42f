"""Route configurations: the endpoint's services, and the way from a customer's identifier to its server."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.registry.service import ENROLMENT_PREFIX, RESERVED_PREFIX
from bothways.xds import names
from bothways.xds.authorization import ENFORCED_CUSTOMER, allow
from bothways.xds.state import CustomerServer, HubState, Identity
from bothways.xds.typed import duration, matching_extension

_NOT_FOUND = 404
_HTTPS = 443
_SERVICE_TIMEOUT = 60.0
_CUSTOMER_TIMEOUT = 30.0
_CONNECTIVITY_TIMEOUT = 5.0
_ENROLMENT_TIMEOUT = 15.0


def inbound_routes(state: HubState) -> Any:
    """Return the routes of the endpoint: each service under its prefix, for those who may reach it now.

    While the endpoint is shut, they are for those who came in before it was: nobody may do anything.
    """
    if state.shut:
        state = replace(state, identities=(), services=())
    services = [
        _guarded(service.prefix, names.service_cluster(service.name), _SERVICE_TIMEOUT, service.identities)
        for service in sorted(state.services, key=lambda each: each.prefix)
    ]
    connectivity = _guarded(RESERVED_PREFIX, names.CONNECTIVITY_CLUSTER, _CONNECTIVITY_TIMEOUT, state.identities)
    enrolment = _guarded(ENROLMENT_PREFIX, names.CONNECTIVITY_CLUSTER, _ENROLMENT_TIMEOUT, state.identities)
    nothing_here = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        direct_response=_not_found("No service of the hub stands at this path."),
        typed_per_filter_config={names.RBAC_FILTER: allow(state.identities)},
    )
    # The listener has this host only; with the port, because clients of another port than 443 send it.
    virtual_host = route_components_pb2.VirtualHost(
        name=names.INBOUND,
        domains=state.authorities,
        routes=[connectivity, enrolment, *services, nothing_here],
        request_headers_to_add=[
            _header(names.CUSTOMER_HEADER, ENFORCED_CUSTOMER),
            _header(names.ENVIRONMENT_HEADER, state.environment.value),
            _header(names.CERTIFICATE_HEADER, "%DOWNSTREAM_PEER_FINGERPRINT_256%"),
        ],
    )
    return route_pb2.RouteConfiguration(name=names.inbound_routes(state.opening), virtual_hosts=[virtual_host])


def customer_routes(name: str, customers: Iterable[CustomerServer]) -> Any:
    """Return the routes that lead from the header `Bothways-Customer` to that customer's server, and nowhere else."""
    entries = {
        customer.tsp_id: matcher_pb2.Matcher.OnMatch(action=matching_extension("route", _to_customer(customer)))
        for customer in customers
    }
    unknown = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        direct_response=_not_found("Bothways-Customer names no customer whose outbound flow is established."),
    )
    virtual_host = route_components_pb2.VirtualHost(
        name=name,
        domains=["*"],
        request_headers_to_remove=[names.CUSTOMER_HEADER],
        response_headers_to_add=[
            _header(names.UPSTREAM_TLS_HEADER, "%UPSTREAM_TLS_VERSION%"),
            _header(names.UPSTREAM_SUBJECT_HEADER, "%UPSTREAM_PEER_SUBJECT%"),
        ],
    )
    if entries:
        tree = matcher_pb2.Matcher.MatcherTree(
            input=matching_extension(
                "customer", http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=names.CUSTOMER_HEADER)
            ),
            exact_match_map=matcher_pb2.Matcher.MatcherTree.MatchMap(map=entries),
        )
        otherwise = matcher_pb2.Matcher.OnMatch(action=matching_extension("route", unknown))
        virtual_host.matcher.CopyFrom(matcher_pb2.Matcher(matcher_tree=tree, on_no_match=otherwise))
    else:
        virtual_host.routes.append(unknown)
    return route_pb2.RouteConfiguration(name=name, virtual_hosts=[virtual_host])


def _guarded(prefix: str, cluster: str, timeout: float, identities: Iterable[Identity]) -> Any:
    return route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(path_separated_prefix=prefix),
        route=route_components_pb2.RouteAction(cluster=cluster, timeout=duration(timeout)),
        typed_per_filter_config={names.RBAC_FILTER: allow(identities)},
    )


def _to_customer(customer: CustomerServer) -> Any:
    port = "" if customer.port == _HTTPS else f":{customer.port}"
    return route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        route=route_components_pb2.RouteAction(
            cluster=names.customer_cluster(customer.tsp_id),
            timeout=duration(_CUSTOMER_TIMEOUT),
            prefix_rewrite=f"{customer.path}/" if customer.path else "",
            host_rewrite_literal=f"{customer.host}{port}",
        ),
    )


def _header(name: str, value: str) -> Any:
    return base_pb2.HeaderValueOption(
        header=base_pb2.HeaderValue(key=name, value=value),
        append_action=base_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def _not_found(detail: str) -> Any:
    return route_components_pb2.DirectResponseAction(status=_NOT_FOUND, body=base_pb2.DataSource(inline_string=detail))
