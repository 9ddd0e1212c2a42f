"""A collector of traces: takes spans by OTLP over gRPC, over TLS if it is given a certificate, and keeps them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from bothways.demo.customer_ca import ServerFiles

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
# As in dataplane/access_log.py: the protocol renamed it, and kept its number.
_SCOPES = trace_pb2.ResourceSpans.DESCRIPTOR.fields_by_number[2].name


@dataclass
class Collector:
    """What came in: each span, under the name of the service that sent it."""

    port: int = 0
    spans: list[tuple[str, Any]] = field(default_factory=list)

    def of(self, trace_id: str) -> list[Any]:
        """Return the spans of a trace, as they came."""
        return [span for _, span in self.spans if span.trace_id.hex() == trace_id]


def attributes(span: Any) -> dict[str, str]:
    """Return the attributes of a span that are text."""
    return {each.key: each.value.string_value for each in span.attributes}


@contextmanager
def collecting(files: ServerFiles | None = None) -> Iterator[Collector]:
    """Run the collector on a free port of loopback."""
    collector = Collector()

    def export(request: Any, _context: Any) -> Any:
        for of_resource in request.resource_spans:
            named = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            for scope in getattr(of_resource, _SCOPES):
                collector.spans += [(named.get("service.name", ""), each) for each in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=trace_service_pb2.ExportTraceServiceRequest.FromString,
        response_serializer=trace_service_pb2.ExportTraceServiceResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler})])
    if files:
        pair = (files.key.read_bytes(), files.certificate.read_bytes())
        collector.port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    else:
        collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
