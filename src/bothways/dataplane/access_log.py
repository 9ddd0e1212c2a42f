"""Access logs as Envoy sends them (OTLP over gRPC), read into records. Strangers choose what stands in them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.logs.v1 import logs_pb2

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.dataplane.admission import Admission
from bothways.xds import names
from bothways.xds.access_log import LOG

_SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"
_NOTHING = "-"
_TEXT_MOST = 1024
_CERTIFICATE_MOST = 32 << 10
_NANOSECONDS = 1_000_000_000

# The protocol renamed these fields and kept their numbers; which name is there depends on the release of xds-protos.
_SCOPES = logs_pb2.ResourceLogs.DESCRIPTOR.fields_by_number[2].name
_RECORDS = logs_pb2.ResourceLogs.DESCRIPTOR.fields_by_number[2].message_type.fields_by_number[2].name


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that went well, and that something was received on: whose certificate, and from where."""

    fingerprint: str
    source: str


Record = FailedHandshake | RefusedRequest | Connection


def access_log_handler(take: Callable[[Iterable[Record]], None], admission: Admission | None = None) -> Any:
    """Return the gRPC handler that gives `take` the records of each batch. `take` must not block.

    With `admission`, only nodes on record are listened to.
    """

    async def export(request: Any, context: Any) -> Any:
        shown = b"".join(context.auth_context().get("x509_pem_cert", ()))
        if admission is not None and admission.node_of(shown) is None:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this certificate is no node's on record")
        take(read_records(request))
        return logs_service_pb2.ExportLogsServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=logs_service_pb2.ExportLogsServiceRequest.FromString,
        response_serializer=logs_service_pb2.ExportLogsServiceResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler})


def read_records(request: Any) -> Iterator[Record]:
    """Yield the records of a batch; one that is not as we asked for is left out."""
    for resource in request.resource_logs:
        for scope in getattr(resource, _SCOPES):
            for entry in getattr(scope, _RECORDS):
                fields = {each.key: _text(each.key, each.value.string_value) for each in entry.attributes}
                at = datetime.fromtimestamp(entry.time_unix_nano // _NANOSECONDS, UTC)
                if record := _record(fields, at):
                    yield record


def _text(key: str, value: str) -> str:
    if value == _NOTHING:
        return ""
    most = _CERTIFICATE_MOST if key == "certificate" else _TEXT_MOST
    return value[:most]


def _record(fields: dict[str, str], at: datetime) -> Record | None:
    log = fields.pop(LOG, "")
    try:
        if log == names.FAILED_HANDSHAKE_LOG:
            return FailedHandshake(at, **fields)
        if log == names.REFUSED_REQUEST_LOG:
            return RefusedRequest(at, status=int(fields.pop("status")), **fields)
        if log == names.CONNECTION_LOG and int(fields["received"] or 0) > 0:
            return Connection(fields["fingerprint"], fields["source"])
    except (TypeError, KeyError, ValueError):
        return None
    return None
