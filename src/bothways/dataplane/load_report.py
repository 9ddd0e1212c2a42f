"""Load reports as Envoy sends them (LRS over gRPC): which customers' servers it has, and which of them were called."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from envoy.service.load_stats.v3 import lrs_pb2

from bothways.xds import names
from bothways.xds.typed import duration

if TYPE_CHECKING:
    # What it stands on is not needed where reports are passed on.
    from bothways.dataplane.admission import Admission

SERVICE, METHOD = "envoy.service.load_stats.v3.LoadReportingService", "StreamLoadStats"

REPORT_EVERY = 60.0
"""Seconds between two reports of a node.

A call to an address that DNS has taken away since the last report is not in the next one.
"""


@dataclass(frozen=True, slots=True)
class Load:
    """A customer's server that a node has loaded, by the name of its cluster.

    `called`: since the node's last report, or a call is under way.
    """

    cluster: str
    called: bool


def load_report_handler(
    take: Callable[[Iterable[Load]], None] | None, admission: "Admission | None" = None, every: float = REPORT_EVERY
) -> Any:
    """Return the gRPC handler that asks nodes to report, and gives `take` what each report says. It must not block.

    Without `take`, nodes are heard and asked for nothing: one that finds nobody says so in its log every five seconds.
    With `admission`, only nodes on record are listened to. `every` is in seconds.
    """

    async def reported(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        shown = b"".join(context.auth_context().get("x509_pem_cert", ()))
        asked = False
        async for request in requests:
            if admission is not None and admission.node_of(shown) is None:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this certificate is no node's on record")
            if take is None:
                continue
            if not asked:
                asked = True
                yield lrs_pb2.LoadStatsResponse(send_all_clusters=True, load_reporting_interval=duration(every))
            take(read_loads(request))

    handler = grpc.stream_stream_rpc_method_handler(
        reported,
        request_deserializer=lrs_pb2.LoadStatsRequest.FromString,
        response_serializer=lrs_pb2.LoadStatsResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})


def read_loads(request: Any) -> Iterator[Load]:
    """Yield what a report says of customers' servers: Envoy leaves out the addresses to which nothing went."""
    for each in request.cluster_stats:
        if names.on_demand(each.cluster_name):
            yield Load(each.cluster_name, bool(each.upstream_locality_stats))
