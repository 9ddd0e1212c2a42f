"""A bare Envoy in front of one customer's server: one listener, one route, one static cluster over mutual TLS.

Its TLS is as strict as ours: the customer's anchors, exactly its host name, a client certificate, TLS 1.2 or newer. So
what differs is what we add: the map of customers, the name by DNS, the check of each address, the pools by certificate.
"""

from contextlib import AbstractContextManager

from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf import json_format

from bench.peers import Server, Setting, running
from bothways.dataplane.envoy import find_envoy
from bothways.xds import names
from bothways.xds.typed import any_of, duration, tcp


def bare_egress(setting: Setting) -> AbstractContextManager[Server | None]:
    """Run it; the directory of the setting has the client's `tls.crt` and `tls.key`, and the server's `ca.crt`."""
    config = setting.directory / "envoy.json"
    resources = bootstrap_pb2.Bootstrap.StaticResources(listeners=[_listener(setting)], clusters=[_cluster(setting)])
    config.write_text(str(json_format.MessageToJson(bootstrap_pb2.Bootstrap(static_resources=resources))))
    command = [str(find_envoy()), "--config-path", str(config), "--log-level", "error", "--disable-hot-restart"]
    return running("bare Envoy", command, setting)


def _listener(setting: Setting) -> listener_pb2.Listener:
    route = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        route=route_components_pb2.RouteAction(cluster="server", host_rewrite_literal=setting.host),
    )
    virtual_host = route_components_pb2.VirtualHost(name="server", domains=["*"], routes=[route])
    manager = http_connection_manager_pb2.HttpConnectionManager(
        stat_prefix="egress",
        route_config=route_pb2.RouteConfiguration(virtual_hosts=[virtual_host]),
        http_filters=[
            http_connection_manager_pb2.HttpFilter(name=names.ROUTER_FILTER, typed_config=any_of(router_pb2.Router()))
        ],
    )
    connection_manager = listener_components_pb2.Filter(
        name=names.HTTP_CONNECTION_MANAGER, typed_config=any_of(manager)
    )
    listener = listener_pb2.Listener(
        name="egress",
        address=tcp("127.0.0.1", setting.port),
        filter_chains=[listener_components_pb2.FilterChain(filters=[connection_manager])],
    )
    listener.enable_reuse_port.value = False
    return listener


def _cluster(setting: Setting) -> cluster_pb2.Cluster:
    pair = common_pb2.TlsCertificate(
        certificate_chain=base_pb2.DataSource(filename=str(setting.directory / "tls.crt")),
        private_key=base_pb2.DataSource(filename=str(setting.directory / "tls.key")),
    )
    named = common_pb2.SubjectAltNameMatcher(
        san_type=common_pb2.SubjectAltNameMatcher.SanType.DNS, matcher=string_pb2.StringMatcher(exact=setting.host)
    )
    context = tls_pb2.UpstreamTlsContext(
        sni=setting.host,
        common_tls_context=tls_pb2.CommonTlsContext(
            tls_params=common_pb2.TlsParameters(
                tls_minimum_protocol_version=common_pb2.TlsParameters.TLSv1_2,
                tls_maximum_protocol_version=common_pb2.TlsParameters.TLSv1_3,
            ),
            tls_certificates=[pair],
            validation_context=common_pb2.CertificateValidationContext(
                trusted_ca=base_pb2.DataSource(filename=str(setting.directory / "ca.crt")),
                match_typed_subject_alt_names=[named],
            ),
            alpn_protocols=["http/1.1"],
        ),
    )
    endpoint = endpoint_components_pb2.LbEndpoint(
        endpoint=endpoint_components_pb2.Endpoint(address=tcp("127.0.0.1", setting.service_port))
    )
    return cluster_pb2.Cluster(
        name="server",
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(1.0),
        transport_socket=base_pb2.TransportSocket(name=names.TLS_TRANSPORT_SOCKET, typed_config=any_of(context)),
        load_assignment=endpoint_pb2.ClusterLoadAssignment(
            cluster_name="server", endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[endpoint])]
        ),
    )
