"""Clusters: the hub's services, the control plane's own page, and each customer's server."""

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2, protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.extensions.clusters.common.dns.v3 import dns_pb2
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from envoy.extensions.filters.http.upstream_codec.v3 import upstream_codec_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf import struct_pb2

from bothways.xds import names
from bothways.xds.authorization import deny_special_addresses
from bothways.xds.state import CustomerServer, KeyPair, ServiceRoute
from bothways.xds.tls import customer_socket
from bothways.xds.typed import any_of, duration, extension, tcp, unix

_CONNECT_TIMEOUT = 5.0
_DNS_REFRESH = 5.0
_CONNECTION_AGE = 60.0


def service_cluster(service: ServiceRoute) -> Any:
    """Return the cluster of a service of the hub, over plain HTTP inside the hub."""
    return _by_dns(names.service_cluster(service.name), service.host, service.port)


def connectivity_cluster(socket: str) -> Any:
    """Return the cluster of the control plane's `/connectivity`, on its unix socket."""
    return cluster_pb2.Cluster(
        name=names.CONNECTIVITY_CLUSTER,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(_CONNECT_TIMEOUT),
        load_assignment=_assignment(names.CONNECTIVITY_CLUSTER, unix(socket)),
    )


def customer_cluster(server: CustomerServer, client: KeyPair, *, danger_outbound_loopback: bool) -> Any:
    """Return the cluster of a customer's server: mutual TLS with its own anchors, and public addresses only.

    The fingerprint of the client certificate is in the metadata: when the hub rotates it, the cluster changes with it,
    and connections that were opened with the old certificate are drained.
    """
    cluster = _by_dns(names.customer_cluster(server.tsp_id), server.host, server.port)
    cluster.transport_socket.CopyFrom(customer_socket(server))
    guard = deny_special_addresses(loopback_allowed=danger_outbound_loopback)
    options = http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=protocol_pb2.Http1ProtocolOptions()
        ),
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(
            max_connection_duration=duration(_CONNECTION_AGE)
        ),
        http_filters=[
            http_connection_manager_pb2.HttpFilter(name=names.UPSTREAM_RBAC_FILTER, typed_config=any_of(guard)),
            http_connection_manager_pb2.HttpFilter(
                name=names.UPSTREAM_CODEC_FILTER, typed_config=any_of(upstream_codec_pb2.UpstreamCodec())
            ),
        ],
    )
    cluster.typed_extension_protocol_options[names.HTTP_PROTOCOL_OPTIONS].CopyFrom(any_of(options))
    fingerprint = struct_pb2.Struct(fields={"client_certificate": struct_pb2.Value(string_value=client.fingerprint)})
    cluster.metadata.CopyFrom(base_pb2.Metadata(filter_metadata={"bothways": fingerprint}))
    return cluster


def _by_dns(name: str, host: str, port: int) -> Any:
    dns = dns_cluster_pb2.DnsCluster(
        respect_dns_ttl=True,
        dns_refresh_rate=duration(_DNS_REFRESH),
        dns_lookup_family=dns_pb2.V4_PREFERRED,
        typed_dns_resolver_config=extension(
            "envoy.network.dns_resolver.cares", cares_dns_resolver_pb2.CaresDnsResolverConfig()
        ),
        # One endpoint with several addresses would have only its first address checked against special ranges.
        all_addresses_in_single_endpoint=False,
    )
    cluster = cluster_pb2.Cluster(
        name=name,
        cluster_type=cluster_pb2.Cluster.CustomClusterType(name="envoy.cluster.dns", typed_config=any_of(dns)),
        connect_timeout=duration(_CONNECT_TIMEOUT),
        load_assignment=_assignment(name, tcp(host, port)),
    )
    # Else an Envoy that starts opens no listener before every name was answered: one silent DNS server would keep the
    # whole endpoint shut for a minute. The price: calls to a cluster that is new or has changed are answered with 503
    # until its name was looked up.
    cluster.wait_for_warm_on_init.value = False
    return cluster


def _assignment(name: str, address: Any) -> Any:
    endpoint = endpoint_components_pb2.LbEndpoint(endpoint=endpoint_components_pb2.Endpoint(address=address))
    return endpoint_pb2.ClusterLoadAssignment(
        cluster_name=name, endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[endpoint])]
    )
