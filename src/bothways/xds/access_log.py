"""Access logs of the endpoint, sent to the control plane: why calls failed, and which certificates came in.

Envoy chooses what it sends: of what goes well, one short record for each connection, when it ends. Everything here is
chosen by strangers, and is kept short or dropped by whoever reads it.
"""

from collections.abc import Mapping
from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import base_pb2, config_source_pb2, grpc_service_pb2
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2
from envoy.extensions.access_loggers.grpc.v3 import als_pb2
from envoy.extensions.access_loggers.open_telemetry.v3 import logs_service_pb2
from opentelemetry.proto.common.v1 import common_pb2

from bothways.xds import names
from bothways.xds.typed import any_of, duration

_FLUSH_INTERVAL = 0.5
_BUFFER_BYTES = 64 << 10
_SEND_TIMEOUT = 5.0
_FIRST_ERROR = 400

_FAILED = "has(connection.transport_failure_reason)"
_WENT_WELL = f"connection.mtls && !{_FAILED}"
_SAID_BY_ENVOY = "response.code_details != 'via_upstream'"
_NO_FILTER_CHAIN = "NR"

LOG = "log"
"""The field that says which of the logs in `names` a record is of."""

_CALLER = {
    "source": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    "fingerprint": "%DOWNSTREAM_PEER_FINGERPRINT_256%",
}
_HANDSHAKE = _CALLER | {
    "reason": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
    "flags": "%RESPONSE_FLAGS%",
    "server_name": "%REQUESTED_SERVER_NAME%",
    "ja4": "%TLS_JA4_FINGERPRINT%",
    "certificate": "%DOWNSTREAM_PEER_CERT%",
    # With the address, what tells the canary's own knocks.
    "port": "%DOWNSTREAM_DIRECT_REMOTE_PORT%",
}
_REQUEST = _CALLER | {
    "uri_id": "%DOWNSTREAM_PEER_URI_SAN%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "method": "%REQ(:METHOD):16%",
    # Without the query, in which callers put what is nobody's business here.
    "path": "%PATH(NQ:PATH):256%",
    "host": "%REQ(:AUTHORITY):256%",
}
_CONNECTION = _CALLER | {"received": "%BYTES_RECEIVED%"}


def connection_logs() -> list[Any]:
    """Return the logs of connections: those that failed, with all that is known of the caller; and those that did not.

    A connection that nobody said a word on is in neither: port scans, and the health checks of load balancers.
    """
    failed = accesslog_pb2.OrFilter(
        filters=[
            expression(_FAILED),
            accesslog_pb2.AccessLogFilter(
                response_flag_filter=accesslog_pb2.ResponseFlagFilter(flags=[_NO_FILTER_CHAIN])
            ),
        ]
    )
    return [
        _log(names.FAILED_HANDSHAKE_LOG, _HANDSHAKE, accesslog_pb2.AccessLogFilter(or_filter=failed)),
        _log(names.CONNECTION_LOG, _CONNECTION, expression(_WENT_WELL)),
    ]


def request_logs() -> list[Any]:
    """Return the log of requests that Envoy itself answered with an error; what services answer is their matter."""
    error = accesslog_pb2.ComparisonFilter(
        op=accesslog_pb2.ComparisonFilter.GE,
        value=base_pb2.RuntimeUInt32(default_value=_FIRST_ERROR, runtime_key="none"),
    )
    refused = accesslog_pb2.AndFilter(
        filters=[
            accesslog_pb2.AccessLogFilter(status_code_filter=accesslog_pb2.StatusCodeFilter(comparison=error)),
            expression(_SAID_BY_ENVOY),
        ]
    )
    return [_log(names.REFUSED_REQUEST_LOG, _REQUEST, accesslog_pb2.AccessLogFilter(and_filter=refused))]


def expression(text: str) -> Any:
    """Return the filter of what an expression in CEL is true of."""
    return accesslog_pb2.AccessLogFilter(
        extension_filter=accesslog_pb2.ExtensionFilter(
            name=names.CEL_LOG_FILTER, typed_config=any_of(cel_pb2.ExpressionFilter(expression=text))
        )
    )


def _log(log: str, fields: Mapping[str, str], wanted: Any) -> Any:
    # Envoy 1.40 calls `common_config` deprecated; what is to take its place is not in xds-protos yet.
    common = als_pb2.CommonGrpcAccessLogConfig(
        log_name=log,
        transport_api_version=config_source_pb2.ApiVersion.V3,
        grpc_service=grpc_service_pb2.GrpcService(
            envoy_grpc=grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=names.ACCESS_LOG_CLUSTER),
            timeout=duration(_SEND_TIMEOUT),
        ),
        buffer_flush_interval=duration(_FLUSH_INTERVAL),
    )
    common.buffer_size_bytes.value = _BUFFER_BYTES
    config = logs_service_pb2.OpenTelemetryAccessLogConfig(
        common_config=common,
        disable_builtin_labels=True,
        stat_prefix=log,
        attributes=common_pb2.KeyValueList(
            values=[
                common_pb2.KeyValue(key=key, value=common_pb2.AnyValue(string_value=value))
                for key, value in {LOG: log, **fields}.items()
            ]
        ),
    )
    return accesslog_pb2.AccessLog(name=names.ACCESS_LOGGER, typed_config=any_of(config), filter=wanted)
