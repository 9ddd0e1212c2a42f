"""Envoy's bootstrap: where its control plane is, and nothing else; everything it serves comes over ADS."""

from typing import Any

from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import circuit_breaker_pb2, cluster_pb2
from envoy.config.core.v3 import backoff_pb2, base_pb2, config_source_pb2, grpc_service_pb2, protocol_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.metrics.v3 import stats_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf import json_format

from bothways.xds import names
from bothways.xds.overload import overload_manager
from bothways.xds.typed import any_of, duration, over_ads, unix

_BACK_OFF, _BACK_OFF_MOST = 0.2, 2.0
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


def bootstrap(node: str, ads_socket: str, admin_socket: str) -> str:
    """Return the bootstrap as JSON, for an Envoy beside its control plane: both meet on unix sockets."""
    retry = base_pb2.RetryPolicy(
        retry_back_off=backoff_pb2.BackoffStrategy(
            base_interval=duration(_BACK_OFF), max_interval=duration(_BACK_OFF_MOST)
        )
    )
    ads = config_source_pb2.ApiConfigSource(
        api_type=config_source_pb2.ApiConfigSource.DELTA_GRPC,
        transport_api_version=config_source_pb2.ApiVersion.V3,
        set_node_on_first_message_only=True,
        grpc_services=[
            grpc_service_pb2.GrpcService(
                envoy_grpc=grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=names.ADS_CLUSTER, retry_policy=retry)
            )
        ],
    )
    message = bootstrap_pb2.Bootstrap(
        node=base_pb2.Node(id=node, cluster=names.INBOUND),
        admin=bootstrap_pb2.Admin(address=unix(admin_socket)),
        stats_config=_kept_statistics(),
        static_resources=bootstrap_pb2.Bootstrap.StaticResources(clusters=_control_plane(ads_socket)),
        dynamic_resources=bootstrap_pb2.Bootstrap.DynamicResources(
            ads_config=ads, cds_config=over_ads(), lds_config=over_ads()
        ),
        overload_manager=overload_manager(),
    )
    return str(json_format.MessageToJson(message, indent=1))


def _kept_statistics() -> Any:
    prefixes = [string_pb2.StringMatcher(prefix=each) for each in _STATISTICS]
    inclusion = string_pb2.ListStringMatcher(patterns=prefixes)
    return stats_pb2.StatsConfig(stats_matcher=stats_pb2.StatsMatcher(inclusion_list=inclusion))


def _control_plane(socket: str) -> list[Any]:
    logs = _cluster(names.ACCESS_LOG_CLUSTER, socket)
    # A flood of records, or a slow control plane, costs Envoy no more than these; the rest of the records is dropped.
    thresholds = circuit_breaker_pb2.CircuitBreakers.Thresholds()
    thresholds.max_connections.value = 1
    thresholds.max_pending_requests.value = _LOGS_UNDER_WAY
    thresholds.max_requests.value = _LOGS_UNDER_WAY
    logs.circuit_breakers.thresholds.append(thresholds)
    return [_cluster(names.ADS_CLUSTER, socket), logs]


def _cluster(name: str, socket: str) -> Any:
    options = http_protocol_options_pb2.HttpProtocolOptions(
        explicit_http_config=http_protocol_options_pb2.HttpProtocolOptions.ExplicitHttpConfig(
            http2_protocol_options=protocol_pb2.Http2ProtocolOptions()
        )
    )
    endpoint = endpoint_components_pb2.LbEndpoint(endpoint=endpoint_components_pb2.Endpoint(address=unix(socket)))
    return cluster_pb2.Cluster(
        name=name,
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(1.0),
        typed_extension_protocol_options={names.HTTP_PROTOCOL_OPTIONS: any_of(options)},
        load_assignment=endpoint_pb2.ClusterLoadAssignment(
            cluster_name=name,
            endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[endpoint])],
        ),
    )
