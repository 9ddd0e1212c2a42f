"""Listeners: the endpoint for customers, the egress for the hub's services, and the one for probes."""

from dataclasses import replace
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2

from bothways.xds import names
from bothways.xds.access_log import connection_logs, request_logs
from bothways.xds.manager import customers_manager, endpoint_manager
from bothways.xds.state import HubState, RemoteNode
from bothways.xds.tls import inbound_socket
from bothways.xds.typed import any_of, duration, tcp, unix

_HELLO_TIMEOUT, _HANDSHAKE_TIMEOUT = 5.0, 10.0
_BUFFER_BYTES = 1 << 16


def inbound_listener(state: HubState) -> Any:
    """Return the endpoint that customers call: this host name by SNI, mutual TLS, nobody allowed but by a route."""
    chain = listener_components_pb2.FilterChain(
        name=names.INBOUND,
        filter_chain_match=listener_components_pb2.FilterChainMatch(server_names=[state.host]),
        transport_socket=inbound_socket(),
        transport_socket_connect_timeout=duration(_HANDSHAKE_TIMEOUT),
        filters=[_manager_filter(_inbound_manager(state))],
    )
    inspector = tls_inspector_pb2.TlsInspector()
    # Says which version of TLS was offered, where the handshake failed for it.
    inspector.enable_ja4_fingerprinting.value = True
    listener_filter = listener_components_pb2.ListenerFilter(name=names.TLS_INSPECTOR, typed_config=any_of(inspector))
    listener = _listener(names.INBOUND, tcp(state.inbound.host, state.inbound.port), chain, listener_filter)
    listener.listener_filters_timeout.CopyFrom(duration(_HELLO_TIMEOUT))
    listener.access_log.extend(connection_logs())
    return listener


def node_listener(state: HubState, node: RemoteNode) -> Any:
    """Return the endpoint at a remote node, and at the same port, under another server name, the way for probes.

    So a probe needs no port of its own that somebody would have to open. Only the control plane gets through its
    handshake (`tls.probe_trust_secret`).
    """
    listener = inbound_listener(replace(state, inbound=node.inbound))
    if state.control_plane is None:
        return listener
    chain = listener.filter_chains.add(
        name=names.PROBE,
        transport_socket=inbound_socket(names.PROBE_TRUST),
        filters=[_manager_filter(customers_manager(names.PROBE, state.tracing))],
    )
    chain.filter_chain_match.server_names.append(names.probe_host(node.name, state.host))
    chain.transport_socket_connect_timeout.CopyFrom(duration(_HANDSHAKE_TIMEOUT))
    return listener


def egress_listener(state: HubState) -> Any:
    """Return the listener at which the hub's services call customers, inside the hub, over plain HTTP."""
    chain = listener_components_pb2.FilterChain(
        name=names.EGRESS, filters=[_manager_filter(customers_manager(names.EGRESS, state.tracing))]
    )
    return _listener(names.EGRESS, tcp(state.egress.host, state.egress.port), chain)


def probe_listener(state: HubState) -> Any:
    """Return the listener of the control plane's probes, on a unix socket of its own."""
    chain = listener_components_pb2.FilterChain(
        name=names.PROBE, filters=[_manager_filter(customers_manager(names.PROBE, state.tracing))]
    )
    return _listener(names.PROBE, unix(state.probe_socket), chain)


def _listener(name: str, address: Any, chain: Any, *listener_filters: Any) -> Any:
    listener = listener_pb2.Listener(
        name=name,
        stat_prefix=name,
        address=address,
        # Whether a span is that of a server or of a client.
        traffic_direction=base_pb2.INBOUND if name == names.INBOUND else base_pb2.OUTBOUND,
        filter_chains=[chain],
        listener_filters=list(listener_filters),
    )
    listener.per_connection_buffer_limit_bytes.value = _BUFFER_BYTES
    # Customers alone are counted: a flood at the endpoint must not stop the hub's own calls.
    listener.ignore_global_conn_limit = name != names.INBOUND
    # With reuse_port two Envoys would share the port silently, and a customer reach one or the other by chance.
    listener.enable_reuse_port.value = False
    return listener


def _inbound_manager(state: HubState) -> Any:
    manager = endpoint_manager(state)
    # Never those of an earlier opening: connections of strangers from that time may still be draining.
    manager.rds.route_config_name = names.inbound_routes(state.opening)
    manager.access_log.extend(request_logs())
    return manager


def _manager_filter(manager: Any) -> Any:
    return listener_components_pb2.Filter(name=names.HTTP_CONNECTION_MANAGER, typed_config=any_of(manager))
