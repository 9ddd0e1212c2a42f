"""Traces: one span for each request that goes through, sent to a collector over OTLP (gRPC).

A caller inside the hub is believed when it says which trace its request belongs to. Customers are not, unless the
operator says so: by their headers they could have every request recorded, or put it into traces of others.
"""

from typing import Any

from envoy.config.core.v3 import grpc_service_pb2
from envoy.config.trace.v3 import http_tracer_pb2, opentelemetry_pb2
from envoy.type.tracing.v3 import custom_tag_pb2

from bothways.xds import names
from bothways.xds.state import Tracing
from bothways.xds.typed import any_of, duration

_SEND_TIMEOUT = 5.0
_PATH_MOST = 256


def trace(manager: Any, tracing: Tracing | None) -> None:
    """Have a connection manager tell of what goes through it, if anybody wants to know."""
    if tracing is None:
        return
    collector = grpc_service_pb2.GrpcService(
        envoy_grpc=grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=names.COLLECTOR_CLUSTER),
        timeout=duration(_SEND_TIMEOUT),
    )
    settings = manager.tracing
    settings.provider.CopyFrom(
        http_tracer_pb2.Tracing.Http(
            name=names.TRACER,
            typed_config=any_of(
                opentelemetry_pb2.OpenTelemetryConfig(grpc_service=collector, service_name=tracing.service_name)
            ),
        )
    )
    settings.random_sampling.value = tracing.percent
    # By the header x-client-trace-id, which nobody here sends.
    settings.client_sampling.value = 0.0
    settings.max_path_tag_length.value = _PATH_MOST
    settings.custom_tags.append(
        custom_tag_pb2.CustomTag(
            tag="bothways.customer", request_header=custom_tag_pb2.CustomTag.Header(name=names.CUSTOMER_HEADER)
        )
    )


def untrusted_trace_headers(tracing: Tracing | None) -> tuple[str, ...]:
    """Return the headers of customers that are taken off at the endpoint, for they are not believed.

    Without traces of our own they are a matter between customer and service, and pass.
    """
    return names.TRACE_HEADERS if tracing and not tracing.join_customers else ()
