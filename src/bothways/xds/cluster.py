"""Clusters: the hub's services, the control plane's own page, and each customer's server."""

from functools import cache, lru_cache
from hashlib import sha256
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import health_check_pb2, protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.extensions.clusters.common.dns.v3 import dns_pb2
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from envoy.extensions.filters.http.upstream_codec.v3 import upstream_codec_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.v3 import http_pb2

from bothways.xds import names
from bothways.xds.authorization import deny_special_addresses
from bothways.xds.state import CustomerServer, ServiceRoute, Tracing
from bothways.xds.tls import customer_socket, service_socket
from bothways.xds.typed import any_of, duration, extension, tcp, unix

_CONNECT_TIMEOUT = 5.0
_DNS_REFRESH = 5.0
# The second try waits twice as long.
_DNS_TIMEOUT, _DNS_TRIES = 1, 2
CONNECTION_AGE = 60.0
"""How long a connection to a customer's server takes calls, in seconds."""

# Shorter than the 5 s after which common servers close an idle connection: what is sent on one that closes is lost, and
# nobody can tell whether it was read.
UPSTREAM_IDLE = 4.0
_BUFFER_BYTES = 1 << 16
_AT_ONCE, _RETRIES_AT_ONCE = 4096, 64
_REPORTS_AT_ONCE = 4
_FAILURES, _LEFT_OUT_PERCENT = 5, 50
_HEALTH_INTERVAL, _HEALTH_TIMEOUT, _UNHEALTHY_AFTER = 5.0, 2.0, 3


def service_cluster(service: ServiceRoute) -> Any:
    """Return the cluster of a service of the hub: over TLS if it has anchors, else over plain HTTP inside the hub."""
    cluster = _by_dns(names.service_cluster(service.name), service.host, service.port)
    if service.anchors:
        cluster.transport_socket.CopyFrom(service_socket(service.host, service.anchors, http2=service.http2))
    cluster.typed_extension_protocol_options[names.HTTP_PROTOCOL_OPTIONS].CopyFrom(
        any_of(_options(http2=service.http2))
    )
    cluster.per_connection_buffer_limit_bytes.value = _BUFFER_BYTES
    limits = cluster.circuit_breakers.thresholds.add()
    limits.max_connections.value = limits.max_requests.value = limits.max_pending_requests.value = _AT_ONCE
    limits.max_retries.value = _RETRIES_AT_ONCE
    leave_out(cluster)
    if service.health_path:
        cluster.health_checks.append(_health_check(service))
        # Where nobody is healthy, nobody is called: without it, all would be.
        cluster.common_lb_config.healthy_panic_threshold.value = 0
    return cluster


def leave_out(cluster: Any) -> None:
    """Have Envoy leave out, for a while, one of several addresses that cannot be reached.

    The only one never is, for the next try may succeed. What a server answers says nothing about its health: one
    customer's request can make it fail.
    """
    found = cluster.outlier_detection
    found.split_external_local_origin_errors = True
    found.consecutive_local_origin_failure.value = _FAILURES
    found.max_ejection_percent.value = _LEFT_OUT_PERCENT
    for judged in (found.enforcing_consecutive_5xx, found.enforcing_success_rate):
        judged.value = 0
    found.enforcing_local_origin_success_rate.value = 0


def collector_cluster(tracing: Tracing) -> Any:
    """Return the cluster of the collector of traces; a slow one costs Envoy no more than what is under way to it."""
    cluster = _by_dns(names.COLLECTOR_CLUSTER, tracing.collector.host, tracing.collector.port)
    if tracing.anchors:
        cluster.transport_socket.CopyFrom(service_socket(tracing.collector.host, tracing.anchors, http2=True))
    cluster.typed_extension_protocol_options[names.HTTP_PROTOCOL_OPTIONS].CopyFrom(any_of(_options(http2=True)))
    limits = cluster.circuit_breakers.thresholds.add()
    limits.max_connections.value = 1
    limits.max_requests.value = limits.max_pending_requests.value = _REPORTS_AT_ONCE
    return cluster


def connectivity_cluster(socket: str) -> Any:
    """Return the cluster of the control plane's `/connectivity`, on its unix socket."""
    return cluster_pb2.Cluster(
        name=names.CONNECTIVITY_CLUSTER,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(_CONNECT_TIMEOUT),
        load_assignment=_assignment(names.CONNECTIVITY_CLUSTER, unix(socket)),
        typed_extension_protocol_options={names.HTTP_PROTOCOL_OPTIONS: any_of(_options(http2=False))},
    )


def customer_cluster(server: CustomerServer, *, danger_outbound_loopback: bool) -> Any:
    """Return the cluster of a customer's server: mutual TLS with its own anchors, and public addresses only.

    Nothing in it says which client certificate is shown: a cluster that changes has another name, with no connections
    and no address yet, and a rotation must lose no call.
    """
    digest = customer_digest(server, danger_outbound_loopback=danger_outbound_loopback)
    cluster = _by_dns(names.customer_cluster(server.tsp_id, digest), server.host, server.port)
    # Whoever has asked for it waits until its name was looked up, and nothing else does.
    cluster.wait_for_warm_on_init.value = True
    cluster.transport_socket.CopyFrom(customer_socket(server))
    options = _customer_options(danger_outbound_loopback=danger_outbound_loopback)
    cluster.typed_extension_protocol_options[names.HTTP_PROTOCOL_OPTIONS].CopyFrom(options)
    return cluster


@cache
def _customer_options(*, danger_outbound_loopback: bool) -> Any:
    """Return what all customers' clusters have in common, packed once."""
    guard = deny_special_addresses(loopback_allowed=danger_outbound_loopback)
    options = http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=protocol_pb2.Http1ProtocolOptions()
        ),
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(max_connection_duration=duration(CONNECTION_AGE)),
        http_filters=[
            http_connection_manager_pb2.HttpFilter(name=names.UPSTREAM_RBAC_FILTER, typed_config=guard),
            http_connection_manager_pb2.HttpFilter(
                name=names.UPSTREAM_CODEC_FILTER, typed_config=any_of(upstream_codec_pb2.UpstreamCodec())
            ),
        ],
    )
    return any_of(options)


@lru_cache(maxsize=1 << 14)
def customer_digest(server: CustomerServer, *, danger_outbound_loopback: bool) -> str:
    """Return the digest of all that the customer's cluster is made of, and how often it was let go, for its name."""
    # Envoy asks for a name once in its life: what was let go and is called again needs another one.
    made_of = (server.host, server.port, server.anchors, server.spki_pins, danger_outbound_loopback, server.let_go)
    return sha256(repr(made_of).encode()).hexdigest()[:16]


def as_probed(cluster: Any) -> Any:
    """Return a customer's cluster as probes have it: the same under another name.

    A probe waits for its name itself: while any cluster waits, Envoy confirms none on ADS.
    """
    found = names.customer_of(cluster.name)
    if found is None:
        raise ValueError(f"{cluster.name} is no cluster of a customer")
    probed = cluster_pb2.Cluster()
    probed.CopyFrom(cluster)
    probed.name = probed.load_assignment.cluster_name = names.probe_cluster(*found)
    probed.wait_for_warm_on_init.value = False
    return probed


def _options(*, http2: bool) -> Any:
    explicit = http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig()
    if http2:
        explicit.http2_protocol_options.SetInParent()
    else:
        explicit.http_protocol_options.SetInParent()
    common = protocol_pb2.HttpProtocolOptions(idle_timeout=duration(UPSTREAM_IDLE))
    return http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=explicit, common_http_protocol_options=common
    )


def _health_check(service: ServiceRoute) -> Any:
    check = health_check_pb2.HealthCheck(
        timeout=duration(_HEALTH_TIMEOUT),
        interval=duration(_HEALTH_INTERVAL),
        no_traffic_interval=duration(_HEALTH_INTERVAL),
        http_health_check=health_check_pb2.HealthCheck.HttpHealthCheck(
            host=service.host,
            path=service.health_path,
            codec_client_type=http_pb2.HTTP2 if service.http2 else http_pb2.HTTP1,
        ),
    )
    check.unhealthy_threshold.value = _UNHEALTHY_AFTER
    check.healthy_threshold.value = 1
    return check


def _by_dns(name: str, host: str, port: int) -> Any:
    cluster = cluster_pb2.Cluster(
        name=name,
        cluster_type=cluster_pb2.Cluster.CustomClusterType(name="envoy.cluster.dns", typed_config=_dns()),
        connect_timeout=duration(_CONNECT_TIMEOUT),
        load_assignment=_assignment(name, tcp(host, port)),
    )
    # Else an Envoy that starts opens no listener before every name was answered: one silent DNS server would keep the
    # whole endpoint shut. The price: calls to a cluster that is new or has changed are answered with 503 until its name
    # was looked up.
    cluster.wait_for_warm_on_init.value = False
    return cluster


@cache
def _dns() -> Any:
    """Return how names are looked up, packed once."""
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig()
    # By default a silent server is waited for for a minute, and nobody else is asked meanwhile.
    resolver.query_timeout_seconds.value, resolver.query_tries.value = _DNS_TIMEOUT, _DNS_TRIES
    dns = dns_cluster_pb2.DnsCluster(
        respect_dns_ttl=True,
        dns_refresh_rate=duration(_DNS_REFRESH),
        dns_lookup_family=dns_pb2.V4_PREFERRED,
        typed_dns_resolver_config=extension("envoy.network.dns_resolver.cares", resolver),
        # One endpoint with several addresses would have only its first address checked against special ranges.
        all_addresses_in_single_endpoint=False,
    )
    return any_of(dns)


def _assignment(name: str, address: Any) -> Any:
    endpoint = endpoint_components_pb2.LbEndpoint(endpoint=endpoint_components_pb2.Endpoint(address=address))
    return endpoint_pb2.ClusterLoadAssignment(
        cluster_name=name, endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[endpoint])]
    )
