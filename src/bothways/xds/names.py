"""The names of all Envoy resources, types and headers, and of a node's files. Nowhere else is one spelled."""

import re

LISTENER_TYPE = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE_TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
CLUSTER_TYPE = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
EXTENSION_TYPE = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type, no secret

ON_DEMAND_TYPE = "on demand"
"""Clusters that a node asks for by name on a stream of their own: no type of Envoy's, but told apart as one here."""

PUSH_ORDER = (EXTENSION_TYPE, SECRET_TYPE, CLUSTER_TYPE, LISTENER_TYPE, ROUTE_TYPE)
"""Make before break: what is referred to goes before what refers to it; removals go the other way round.

First of all goes who is refused beside the map.
"""

CERTIFICATE_FILE, KEY_FILE, TRUST_FILE = "tls.crt", "tls.key", "ca.crt"
"""What a remote node knows the control plane by, and is known by."""

INBOUND = "inbound"
"""Listener, routes and statistics of the endpoint that customers call."""
EGRESS = "egress"
"""Listener, routes and statistics of the calls of the hub's services to customers."""
PROBE = "probe"
"""As `EGRESS`, for probes alone: it also reaches customers whose outbound flow is not established yet."""

SERVER_CERTIFICATE = "server-certificate"
CUSTOMER_TRUST = "customer-trust"
NODE_CERTIFICATE = "node-certificate"
NODE_TRUST = "node-trust"
PROBE_TRUST = "probe-trust"


CONNECTIVITY_CLUSTER = "connectivity"
ADS_CLUSTER = "ads"
ACCESS_LOG_CLUSTER = "access-log"
"""The control plane as the receiver of access logs: not over `ADS_CLUSTER`, so that a flood holds up no change."""

COLLECTOR_CLUSTER = "collector"
"""Who is sent the traces, if anybody."""
TRACER = "envoy.tracers.opentelemetry"
TRACE_HEADERS = ("traceparent", "tracestate", "baggage")
"""Which trace a request belongs to (W3C Trace Context, W3C Baggage)."""

FAILED_HANDSHAKE_LOG = "failed-handshake"
REFUSED_REQUEST_LOG = "refused-request"
CONNECTION_LOG = "connection"
"""What a record of the access logs tells: a handshake that failed, a request that Envoy refused, one that went well."""
ACCESS_LOGGER = "envoy.access_loggers.open_telemetry"
CEL_LOG_FILTER = "envoy.access_loggers.extension_filters.cel"

RBAC_FILTER = "envoy.filters.http.rbac"
"""Who may enter at all: the map of all certificates."""
SERVICE_RBAC_FILTER = "bothways.service_rbac"
"""Who of them may reach the service of a route. A name of ours: two filters of one kind need two names."""
WITHDRAWN_FILTER = "bothways.withdrawn"
"""Who is refused though the maps still have them. The filter, and the resource with its configuration."""
ROUTER_FILTER = "envoy.filters.http.router"
LUA_FILTER = "envoy.filters.http.lua"
ON_DEMAND_FILTER = "envoy.filters.http.on_demand"
TRAILERS_FILTER = "envoy.filters.http.header_mutation"
SET_FILTER_STATE_FILTER = "envoy.filters.http.set_filter_state"
UPSTREAM_RBAC_FILTER = "envoy.filters.http.upstream_rbac"
UPSTREAM_CODEC_FILTER = "envoy.filters.http.upstream_codec"
HTTP_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
HTTP_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
TLS_TRANSPORT_SOCKET = "envoy.transport_sockets.tls"
TLS_INSPECTOR = "envoy.filters.listener.tls_inspector"

METADATA = "bothways"
"""The namespace of what we write into Envoy's metadata."""
CLIENT_CERTIFICATE = "client_certificate"
"""The fingerprint of the client certificate that a customer is shown now: in its route's metadata."""
CLIENT_CERTIFICATE_STATE = "bothways.client_certificate"
"""The same, where connection pools are told apart by it."""

CUSTOMER_HEADER = "bothways-customer"
ENVIRONMENT_HEADER = "bothways-environment"
CERTIFICATE_HEADER = "bothways-certificate"
FORWARDED_HEADER = "x-forwarded-client-cert"
HUB_HEADER = "bothways-hub"
"""Which hub called, for the customer's own application: set by the spoke's sidecar and receivers."""
UPSTREAM_TLS_HEADER = "bothways-upstream-tls"
UPSTREAM_SUBJECT_HEADER = "bothways-upstream-subject"
"""What a caller inside the hub is told about the customer's server, in the answer."""
FINDING_HEADER = "bothways-finding"
"""Why a call to a customer failed, in answers of our own: no answer of a customer's server has it."""
CLIENT_CERT_HEADER = "client-cert"
"""The certificate that the customer showed, for services (RFC 9440)."""

UNTRUSTED_PREFIXES = (
    *("bothways-", "client-cert", "ssl-", "x-amzn-mtls-", "x-arr-", "x-client-", "x-ssl-", "x-tls-"),
    *("x-envoy-", "x-forwarded-", "x-original-"),
)
"""Headers that begin like this are removed from every request before anything is set.

By them somebody could claim to be somebody else or to come from elsewhere, or give orders to Envoy.
"""
UNTRUSTED_HEADERS = (
    *("remote-user", "x-remote-user"),
    *("cf-connecting-ip", "forwarded", "true-client-ip", "x-cluster-client-ip", "x-host", "x-real-ip"),
    *("proxy", "x-http-host-override", "x-rewrite-url"),
)
"""As `UNTRUSTED_PREFIXES`, whole: who calls and from where, another host or path than the one that was checked, and a
proxy for what a service calls itself (CVE-2016-5385)."""
UNTRUSTED_SPELLING = r"[a-z0-9-]*[!#$%&'*+.^_`|~].*"
"""As `UNTRUSTED_PREFIXES`, a pattern: names with another sign than letters, digits and dashes (RFC 9110 section 5.6.2).

Servers that hand headers on as variables write many signs alike (CGI; CVE-2024-45614).
"""


def untrusted(header: str) -> bool:
    """Return whether a header of this name, in lower case, is removed from what a caller sends."""
    return (
        header in UNTRUSTED_HEADERS
        or header.startswith(UNTRUSTED_PREFIXES)
        or re.fullmatch(UNTRUSTED_SPELLING, header) is not None
    )


def stored_as(type_url: str) -> str:
    """Return the type under which resources of one stand: clusters on demand are clusters."""
    return CLUSTER_TYPE if type_url == ON_DEMAND_TYPE else type_url


def inbound_routes(opening: int) -> str:
    """Return the routes of the endpoint's listener, which has others after each time that the endpoint was shut."""
    return f"{INBOUND}/{opening}" if opening else INBOUND


def is_inbound_routes(name: str) -> bool:
    """Tell whether routes are those of the endpoint's listener, at whichever opening: they have the maps."""
    return name.partition("/")[0] == INBOUND


def embedded_node(environment: str) -> str:
    """Return the id of the Envoy on the hub's own machine, as the control plane knows it."""
    return f"{environment.lower()}-embedded"


def probe_host(node: str, host: str) -> str:
    """Return the server name at which a remote node takes the control plane's probes; nobody looks it up."""
    return f"{node}.node.{host}"


def service_cluster(name: str) -> str:
    """Return the cluster of a service of the hub."""
    return f"service/{name}"


def customer_cluster(tsp_id: str, digest: str) -> str:
    """Return the cluster of a customer's server, which a node asks for when the first call comes.

    `digest` is that of what the cluster is made of: what has changed has another name, and calls are led from the one
    to the other by the route.
    """
    return f"{_CUSTOMER}{tsp_id}/{digest}"


def probe_cluster(tsp_id: str, digest: str) -> str:
    """Return the same cluster under the name by which probes call it: at every node, while a probe is made."""
    return f"{_PROBED}{tsp_id}/{digest}"


def customer_of(cluster: str) -> tuple[str, str] | None:
    """Return tspId and digest of a customer's cluster, None for any other name."""
    if not cluster.startswith(_CUSTOMER):
        return None
    _, tsp_id, digest = cluster.split("/")
    return tsp_id, digest


def customer_clusters_in(content: bytes) -> set[str]:
    """Return the clusters of customers that are named in encoded routes, without taking these apart."""
    return {each.decode() for each in _CLUSTER_NAME.findall(content)}


def client_certificate(tsp_id: str) -> str:
    """Return the secret of the client certificate that this customer is shown, and no other customer."""
    return f"{_CLIENT_CERTIFICATE}{tsp_id}"


def on_demand(name: str) -> bool:
    """Tell whether a node has a resource only if it asked for it by name: it is not among "all" of its type."""
    return name.startswith(_ON_DEMAND)


def of_probes(type_url: str, name: str) -> bool:
    """Tell whether a resource is there while somebody is probed alone: a cluster, or the routes of probes."""
    return name == PROBE if type_url == ROUTE_TYPE else name.startswith(_PROBED)


def of_one_customer(name: str) -> bool:
    """Tell whether a resource serves the calls to one customer, and nothing else."""
    return name.startswith(_OF_ONE_CUSTOMER)


_CUSTOMER, _PROBED, _CLIENT_CERTIFICATE = "customer/", "probe/", "client-certificate/"
_CLUSTER_NAME = re.compile(rb"%b[\x21-\x2e\x30-\x7e]+/[0-9a-f]{16}" % _CUSTOMER.encode())
_ON_DEMAND = (_CUSTOMER, _CLIENT_CERTIFICATE)
_OF_ONE_CUSTOMER = (*_ON_DEMAND, _PROBED)
