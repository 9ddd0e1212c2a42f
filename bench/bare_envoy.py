"""The configuration of an Envoy that only asks for a client certificate and passes on: what others can be at best.

Its listener and its TLS are those of the hub's own Envoy, so that what differs is what we add: the authorization map,
the headers of identity, the limits, and the logs of what fails.
"""

from pathlib import Path

from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from google.protobuf import json_format

from bothways.xds import names
from bothways.xds.suites import CIPHER_SUITES, CURVES_ANSWERED, SIGNATURE_ALGORITHMS
from bothways.xds.typed import any_of, duration, tcp


def bare_envoy_json(files: Path, host: str, port: int, service_port: int, *, our_tls: bool = False) -> str:
    """Return the bootstrap as JSON; `files` has `tls.crt`, `tls.key` and `ca.crt`.

    `our_tls`: with what the endpoint owes its customers in TLS, and nothing else of ours: the revocation list, this
    host name alone, and the suites, groups and signature algorithms that are named. `files` has `ca.crl` then.
    """
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context=tls_pb2.CommonTlsContext(
            tls_params=common_pb2.TlsParameters(
                tls_minimum_protocol_version=common_pb2.TlsParameters.TLSv1_2,
                tls_maximum_protocol_version=common_pb2.TlsParameters.TLSv1_3,
            ),
            tls_certificates=[
                common_pb2.TlsCertificate(
                    certificate_chain=base_pb2.DataSource(filename=str(files / "tls.crt")),
                    private_key=base_pb2.DataSource(filename=str(files / "tls.key")),
                )
            ],
            validation_context=common_pb2.CertificateValidationContext(
                trusted_ca=base_pb2.DataSource(filename=str(files / "ca.crt"))
            ),
            alpn_protocols=["h2", "http/1.1"],
        ),
        disable_stateless_session_resumption=True,
        disable_stateful_session_resumption=True,
    )
    context.require_client_certificate.value = True
    chain = listener_components_pb2.FilterChain()
    listener_filters = []
    if our_tls:
        common = context.common_tls_context
        common.tls_params.cipher_suites.extend(CIPHER_SUITES)
        common.tls_params.ecdh_curves.extend(CURVES_ANSWERED)
        common.tls_params.signature_algorithms.extend(SIGNATURE_ALGORITHMS)
        common.validation_context.crl.filename = str(files / "ca.crl")
        common.validation_context.only_verify_leaf_cert_crl = True
        chain.filter_chain_match.server_names.append(host)
        inspector = any_of(tls_inspector_pb2.TlsInspector())
        listener_filters.append(
            listener_components_pb2.ListenerFilter(name=names.TLS_INSPECTOR, typed_config=inspector)
        )
    route = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"), route=route_components_pb2.RouteAction(cluster="service")
    )
    virtual_host = route_components_pb2.VirtualHost(name=host, domains=["*"], routes=[route])
    manager = http_connection_manager_pb2.HttpConnectionManager(
        stat_prefix="inbound",
        route_config=route_pb2.RouteConfiguration(virtual_hosts=[virtual_host]),
        http_filters=[
            http_connection_manager_pb2.HttpFilter(name=names.ROUTER_FILTER, typed_config=any_of(router_pb2.Router()))
        ],
    )
    chain.transport_socket.name = names.TLS_TRANSPORT_SOCKET
    chain.transport_socket.typed_config.CopyFrom(any_of(context))
    chain.filters.add(name=names.HTTP_CONNECTION_MANAGER, typed_config=any_of(manager))
    listener = listener_pb2.Listener(
        name="inbound",
        address=tcp("127.0.0.1", port),
        filter_chains=[chain],
        listener_filters=listener_filters,
    )
    listener.enable_reuse_port.value = False
    endpoint = endpoint_components_pb2.LbEndpoint(
        endpoint=endpoint_components_pb2.Endpoint(address=tcp("127.0.0.1", service_port))
    )
    cluster = cluster_pb2.Cluster(
        name="service",
        type=cluster_pb2.Cluster.STATIC,
        connect_timeout=duration(1.0),
        load_assignment=endpoint_pb2.ClusterLoadAssignment(
            cluster_name="service", endpoints=[endpoint_components_pb2.LocalityLbEndpoints(lb_endpoints=[endpoint])]
        ),
    )
    resources = bootstrap_pb2.Bootstrap.StaticResources(listeners=[listener], clusters=[cluster])
    return str(json_format.MessageToJson(bootstrap_pb2.Bootstrap(static_resources=resources)))
