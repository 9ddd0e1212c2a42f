"""Envoy's bootstrap: where its control plane is, and nothing else; everything it serves comes over ADS.

A remote node finds its control plane over mutual TLS, with a certificate in files beside its bootstrap.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from envoy.config.core.v3 import base_pb2, config_source_pb2, protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.metrics.v3 import stats_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.service.discovery.v3 import discovery_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf import json_format

from bothways.xds import names
from bothways.xds.cluster import UPSTREAM_IDLE, leave_out
from bothways.xds.overload import overload_manager
from bothways.xds.state import Address, RemoteHub
from bothways.xds.tls import control_plane_socket, files_secret, files_trust
from bothways.xds.typed import any_of, delta_stream, duration, over_ads, tcp, unix

BOOTSTRAP_FILE = "envoy.json"

_LOGS_UNDER_WAY = 4
# Statistics of Envoy that are kept. Those of the customers' clusters are not: at 10,000 customers they would be most of
# its memory, and who calls them knows of each call.
_STATISTICS = (
    "access_logs.",
    f"cluster.{names.ACCESS_LOG_CLUSTER}.",
    "cluster.ads.",
    "cluster.connectivity.",
    f"cluster.{names.service_cluster('')}",
    "cluster_manager.",
    "control_plane.",
    f"http.{names.EGRESS}.",
    f"http.{names.INBOUND}.",
    f"http.{names.PROBE}.",
    "listener.",
    "listener_manager.",
    "server.",
    "tls_inspector.",
)
_CONNECT_TIMEOUT = 2.0
_PING, _PING_TIMEOUT = 5.0, 3.0
_CONNECTION_AGE = 60.0
# Envoy's working directory is the node's: the files can then be carried to any place.
_HERE = "."


def bootstrap(node: str, ads_socket: str, admin_socket: str) -> str:
    """Return the bootstrap as JSON, for an Envoy beside its control plane: both meet on unix sockets."""
    ads, logs = (
        _cluster(name, [unix(ads_socket)], 1.0, _http2()) for name in (names.ADS_CLUSTER, names.ACCESS_LOG_CLUSTER)
    )
    return _json(_bootstrap(node, admin_socket, ads, _bounded(logs)))


def remote_files(node: str, hub: RemoteHub) -> dict[str, str]:
    """Return the files of a remote node without an agent, by name, beside its certificate, key and CA.

    They are the bootstrap, and two that tell Envoy to look at certificate, key and CA again when they are replaced.
    """
    ads = _over_tls(names.ADS_CLUSTER, hub.control_planes, hub.name, _pinged(), "h2", _HERE)
    return _files(node, hub, ads, f"{_HERE}/admin.sock", _HERE, _HERE)


def agent_files(
    node: str, hub: RemoteHub, directory: str, run: str, ads_socket: str, admin_socket: str
) -> dict[str, str]:
    """Return the same files for the Envoy beside an agent, which brings it its configuration on a unix socket.

    `directory` has certificate, key and CA; the files are for the directory `run`. Both are absolute.
    """
    ads = _cluster(names.ADS_CLUSTER, [unix(ads_socket)], 1.0, _http2())
    return _files(node, hub, ads, admin_socket, directory, run)


def _files(node: str, hub: RemoteHub, ads: Any, admin_socket: str, directory: str, place: str) -> dict[str, str]:
    http1 = http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig(
            http_protocol_options=protocol_pb2.Http1ProtocolOptions()
        ),
        # A connection that was opened with a certificate before does not outlive that certificate's overlap.
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(
            idle_timeout=duration(UPSTREAM_IDLE), max_connection_duration=duration(_CONNECTION_AGE)
        ),
    )
    logs = _pinged()
    logs.common_http_protocol_options.max_connection_duration.CopyFrom(duration(_CONNECTION_AGE))
    clusters = (
        ads,
        _bounded(_over_tls(names.ACCESS_LOG_CLUSTER, hub.control_planes, hub.name, logs, "h2", place)),
        _over_tls(names.CONNECTIVITY_CLUSTER, hub.connectivity, hub.name, http1, "http/1.1", place),
    )
    own = files_secret(
        names.NODE_CERTIFICATE, directory, f"{directory}/{names.CERTIFICATE_FILE}", f"{directory}/{names.KEY_FILE}"
    )
    trust = files_trust(names.NODE_TRUST, directory, f"{directory}/{names.TRUST_FILE}", hub.name)
    return {
        BOOTSTRAP_FILE: _json(_bootstrap(node, admin_socket, *clusters)),
        **{
            _file(secret.name): _json(
                discovery_pb2.DiscoveryResponse(type_url=names.SECRET_TYPE, resources=[any_of(secret)])
            )
            for secret in (own, trust)
        },
    }


def _over_tls(name: str, places: Sequence[Address], host: str, options: Any, protocol: str, place: str) -> Any:
    """Return a cluster that leads to the control planes over mutual TLS, with the files of the node in this place.

    Envoy takes them in turn; one that cannot be reached again and again is left out for a while, if there is another.
    """
    cluster = _cluster(name, [tcp(each.host, each.port) for each in places], _CONNECT_TIMEOUT, options)
    named = not all(_is_address(each.host) for each in places)
    cluster.type = cluster_pb2.Cluster.STRICT_DNS if named else cluster_pb2.Cluster.STATIC
    leave_out(cluster)
    certificate, trust = (f"{place}/{_file(each)}" for each in (names.NODE_CERTIFICATE, names.NODE_TRUST))
    cluster.transport_socket.CopyFrom(control_plane_socket(certificate, trust, host, protocol))
    return cluster


def _bootstrap(node: str, admin_socket: str, *clusters: Any) -> Any:
    ads = delta_stream(names.ADS_CLUSTER)
    loads = config_source_pb2.ApiConfigSource(
        api_type=config_source_pb2.ApiConfigSource.GRPC,
        transport_api_version=config_source_pb2.ApiVersion.V3,
        grpc_services=ads.grpc_services,
    )
    return bootstrap_pb2.Bootstrap(
        # By its reports the control plane knows which customers are called.
        cluster_manager=bootstrap_pb2.ClusterManager(load_stats_config=loads),
        node=base_pb2.Node(id=node, cluster=names.INBOUND),
        admin=bootstrap_pb2.Admin(address=unix(admin_socket)),
        stats_config=_kept_statistics(),
        static_resources=bootstrap_pb2.Bootstrap.StaticResources(clusters=clusters),
        dynamic_resources=bootstrap_pb2.Bootstrap.DynamicResources(
            ads_config=ads, cds_config=over_ads(), lds_config=over_ads()
        ),
        overload_manager=overload_manager(),
    )


def _kept_statistics() -> Any:
    prefixes = [string_pb2.StringMatcher(prefix=each) for each in _STATISTICS]
    inclusion = string_pb2.ListStringMatcher(patterns=prefixes)
    return stats_pb2.StatsConfig(stats_matcher=stats_pb2.StatsMatcher(inclusion_list=inclusion))


def _bounded(logs: Any) -> Any:
    """Return the cluster with its bounds: a flood of records, or a slow control plane, costs Envoy no more than these.

    The rest of the records is dropped.
    """
    thresholds = circuit_breaker_pb2.CircuitBreakers.Thresholds()
    thresholds.max_connections.value = 1
    thresholds.max_pending_requests.value = _LOGS_UNDER_WAY
    thresholds.max_requests.value = _LOGS_UNDER_WAY
    logs.circuit_breakers.thresholds.append(thresholds)
    return logs


def _http2() -> Any:
    return http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig(
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions()
        )
    )


def _pinged() -> Any:
    """Return HTTP/2 that notices when the other machine is gone."""
    options = _http2()
    keepalive = protocol_pb2.KeepaliveSettings(interval=duration(_PING), timeout=duration(_PING_TIMEOUT))
    options.explicit_http_config.http2_protocol_options.connection_keepalive.CopyFrom(keepalive)
    return options


def _cluster(name: str, addresses: Sequence[Any], connect_timeout: float, options: Any) -> Any:
    endpoints = [
        endpoint_components_pb2.LbEndpoint(endpoint=endpoint_components_pb2.Endpoint(address=each))
        for each in addresses
    ]
    return cluster_pb2.Cluster(
        name=name,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(connect_timeout),
        typed_extension_protocol_options={names.HTTP_PROTOCOL_OPTIONS: any_of(options)},
        load_assignment=endpoint_pb2.ClusterLoadAssignment(
            cluster_name=name,
            endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=endpoints)],
        ),
    )


def _file(secret: str) -> str:
    return f"{secret}.json"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _json(message: Any) -> str:
    return str(json_format.MessageToJson(message, indent=1))
