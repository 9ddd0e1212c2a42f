"""Listeners: the endpoint for customers, the egress for the hub's services, and the one for probes."""

from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.common.mutation_rules.v3 import mutation_rules_pb2
from envoy.config.core.v3 import base_pb2, protocol_pb2, substitution_format_string_pb2
from envoy.config.listener.v3 import listener_components_pb2, listener_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import header_mutation_pb2
from envoy.type.matcher.v3 import string_pb2
from google.protobuf import struct_pb2

from bothways.xds import names
from bothways.xds.authorization import ENFORCED_CUSTOMER, deny_all
from bothways.xds.state import HubState
from bothways.xds.tls import inbound_socket
from bothways.xds.typed import any_of, duration, extension, over_ads, tcp, unix

Manager = http_connection_manager_pb2.HttpConnectionManager

_HANDSHAKE_TIMEOUT = 10.0
_HEADERS_TIMEOUT = 10.0
_IDLE_TIMEOUT = 300.0
_HEADERS_KIB = 32
_BUFFER_BYTES = 1 << 20

_FORBIDDEN, _MISDIRECTED = 403, 421


def inbound_listener(state: HubState) -> Any:
    """Return the endpoint that customers call: this host name by SNI, mutual TLS, nobody allowed but by a route."""
    chain = listener_components_pb2.FilterChain(
        name=names.INBOUND,
        filter_chain_match=listener_components_pb2.FilterChainMatch(server_names=[state.host]),
        transport_socket=inbound_socket(),
        transport_socket_connect_timeout=duration(_HANDSHAKE_TIMEOUT),
        filters=[_manager_filter(_inbound_manager(state))],
    )
    inspector = listener_components_pb2.ListenerFilter(
        name=names.TLS_INSPECTOR, typed_config=any_of(tls_inspector_pb2.TlsInspector())
    )
    return _listener(names.INBOUND, tcp(state.inbound.host, state.inbound.port), chain, inspector)


def egress_listener(state: HubState) -> Any:
    """Return the listener at which the hub's services call customers, inside the hub, over plain HTTP."""
    chain = listener_components_pb2.FilterChain(name=names.EGRESS, filters=[_manager_filter(_manager(names.EGRESS))])
    return _listener(names.EGRESS, tcp(state.egress.host, state.egress.port), chain)


def probe_listener(state: HubState) -> Any:
    """Return the listener of the control plane's probes, on a unix socket of its own."""
    chain = listener_components_pb2.FilterChain(name=names.PROBE, filters=[_manager_filter(_manager(names.PROBE))])
    return _listener(names.PROBE, unix(state.probe_socket), chain)


def _listener(name: str, address: Any, chain: Any, *listener_filters: Any) -> Any:
    listener = listener_pb2.Listener(
        name=name, address=address, filter_chains=[chain], listener_filters=list(listener_filters)
    )
    listener.per_connection_buffer_limit_bytes.value = _BUFFER_BYTES
    # With reuse_port two Envoys would share the port silently, and a customer reach one or the other by chance.
    listener.enable_reuse_port.value = False
    return listener


def _inbound_manager(state: HubState) -> Any:
    manager = _manager(names.INBOUND)
    # Never those of an earlier opening: connections of strangers from that time may still be draining.
    manager.rds.route_config_name = names.inbound_routes(state.opening)
    manager.http_filters.insert(
        0, http_connection_manager_pb2.HttpFilter(name=names.RBAC_FILTER, typed_config=any_of(deny_all()))
    )
    manager.use_remote_address.value = True
    manager.forward_client_cert_details = Manager.SANITIZE_SET
    manager.set_current_client_cert_details.uri = True
    manager.set_current_client_cert_details.subject.value = True
    manager.early_header_mutation_extensions.append(_without_identity_headers())
    manager.access_log.append(_access_log(state.access_log))
    manager.local_reply_config.mappers.extend([_misdirected(state), _denied()])
    return manager


def _manager(name: str) -> Any:
    manager = Manager(
        stat_prefix=name,
        codec_type=Manager.AUTO,
        rds=http_connection_manager_pb2.Rds(route_config_name=name, config_source=over_ads()),
        http_filters=[
            http_connection_manager_pb2.HttpFilter(
                name=names.ROUTER_FILTER, typed_config=any_of(router_pb2.Router(suppress_envoy_headers=True))
            )
        ],
        request_headers_timeout=duration(_HEADERS_TIMEOUT),
        stream_idle_timeout=duration(_IDLE_TIMEOUT),
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(
            idle_timeout=duration(_IDLE_TIMEOUT),
            headers_with_underscores_action=protocol_pb2.HttpProtocolOptions.REJECT_REQUEST,
        ),
        path_with_escaped_slashes_action=Manager.REJECT_REQUEST,
        merge_slashes=True,
        always_set_request_id_in_response=True,
        local_reply_config=_local_replies(),
    )
    manager.normalize_path.value = True
    manager.max_request_headers_kb.value = _HEADERS_KIB
    return manager


def _manager_filter(manager: Any) -> Any:
    return listener_components_pb2.Filter(name=names.HTTP_CONNECTION_MANAGER, typed_config=any_of(manager))


def _without_identity_headers() -> Any:
    removals = [mutation_rules_pb2.HeaderMutation(remove=header) for header in names.IDENTITY_HEADERS]
    return extension(
        "envoy.http.early_header_mutation.header_mutation", header_mutation_pb2.HeaderMutation(mutations=removals)
    )


def _local_replies() -> Any:
    """Return the form of what Envoy says itself, direct responses included: problems of RFC 9457 with what it saw."""
    body = {
        "type": "urn:bothways:problem:data-plane",
        "status": "%RESPONSE_CODE%",
        "detail": "%LOCAL_REPLY_BODY%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "upstream": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return http_connection_manager_pb2.LocalReplyConfig(body_format=_json(body, problem=True))


def _misdirected(state: HubState) -> Any:
    """Return a mapping to 421 for requests of another host (RFC 9110 section 15.5.20).

    Whoever asks for one is denied before a virtual host is missed, so the host itself is what is looked at.
    """
    other_hosts = [
        accesslog_pb2.AccessLogFilter(
            header_filter=accesslog_pb2.HeaderFilter(
                header=route_components_pb2.HeaderMatcher(
                    name=":authority",
                    string_match=string_pb2.StringMatcher(exact=authority, ignore_case=True),
                    invert_match=True,
                )
            )
        )
        for authority in state.authorities
    ]
    mapper = http_connection_manager_pb2.ResponseMapper(
        filter=accesslog_pb2.AccessLogFilter(and_filter=accesslog_pb2.AndFilter(filters=other_hosts))
    )
    mapper.status_code.value = _MISDIRECTED
    mapper.body.inline_string = "No host of this name is served here. Call the endpoint of the contract."
    return mapper


def _denied() -> Any:
    """Return a mapping that tells whoever is denied how to find out why."""
    forbidden = accesslog_pb2.ComparisonFilter(
        op=accesslog_pb2.ComparisonFilter.EQ, value=base_pb2.RuntimeUInt32(default_value=_FORBIDDEN, runtime_key="none")
    )
    mapper = http_connection_manager_pb2.ResponseMapper(
        filter=accesslog_pb2.AccessLogFilter(status_code_filter=accesslog_pb2.StatusCodeFilter(comparison=forbidden))
    )
    mapper.body.inline_string = (
        "The certificate does not open this path: it was revoked, or the service is not granted, "
        "or a flow that it needs is not established. GET /connectivity says what is missing."
    )
    return mapper


def _access_log(path: str) -> Any:
    line = {
        "at": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
        "customer": ENFORCED_CUSTOMER,
        "uri_id": "%DOWNSTREAM_PEER_URI_SAN%",
        "fingerprint": "%DOWNSTREAM_PEER_FINGERPRINT_256%",
        "method": "%REQ(:METHOD)%",
        "path": "%REQ(:PATH)%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "milliseconds": "%DURATION%",
        "tls": "%DOWNSTREAM_TLS_VERSION%",
        "source": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    return accesslog_pb2.AccessLog(
        name="envoy.access_loggers.file",
        typed_config=any_of(file_pb2.FileAccessLog(path=path, log_format=_json(line))),
    )


def _json(line: dict[str, str], *, problem: bool = False) -> Any:
    fields = {key: struct_pb2.Value(string_value=value) for key, value in line.items()}
    return substitution_format_string_pb2.SubstitutionFormatString(
        json_format=struct_pb2.Struct(fields=fields),
        content_type="application/problem+json" if problem else "",
    )
