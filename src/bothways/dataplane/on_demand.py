"""The stream by which a node asks for customers' servers: beside its first one, on which all else comes.

The law: what is said on it is taken in its turn by the talk of the node's first stream, which knows what the routes
lead to; so it lives no longer than that, and is served nowhere else.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from envoy.service.discovery.v3 import discovery_pb2

from bothways.dataplane.connection import Connection
from bothways.xds import names
from bothways.xds.response import Response
from bothways.xds.snapshot import Snapshot

if TYPE_CHECKING:
    # What it stands on is not needed where nobody is let in: in the process beside Envoy.
    from bothways.dataplane.admission import Admission

PASSED_ON = ("bothways-streams", "2")
"""What an agent says of itself with the first stream of its Envoy: that it passes on the second one too."""
SERVICE, METHOD = "envoy.service.cluster.v3.ClusterDiscoveryService", "DeltaClusters"


class Second:
    """One such stream. `over` is set when it is to end though the first one has not: another has taken its place."""

    def __init__(self, context: Any, fingerprint: str) -> None:
        self._context = context
        self._fingerprint = fingerprint
        self.over = asyncio.Event()

    def follow(self, admission: "Admission", node: str) -> None:
        """End it if the certificate by which it was let in is let in no more: the first one may have another."""
        if not admission.admits(node, self._fingerprint):
            self.over.set()

    def said(self, connection: Connection, request: Any, snapshot: Snapshot) -> list[Response]:
        """Take what the node said, None for the end of the stream; return what to say now, on either stream."""
        if connection.second is not self:
            # Before its first word it has nothing to say, and when another one has come, nothing any more.
            if request is None or self.over.is_set():
                return []
            if connection.second:
                connection.second.over.set()
            connection.stream.end_on_demand()
            connection.second = self
        if request is None:
            connection.stream.end_on_demand()
            connection.second = None
            return []
        request.type_url = names.ON_DEMAND_TYPE
        return connection.stream.receive(request, snapshot)

    async def write(self, written: bytes) -> None:
        """Send a response, serialized; if the stream has ended, its end is on its way here."""
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.BaseError):
            await self._context.write(written)


def on_demand_handler(connections: Iterable[Connection], admission: "Admission | None") -> Any:
    """Return the gRPC handler of these streams, for the nodes that are connected by their first ones."""

    async def serve(requests: AsyncIterator[Any], context: Any) -> None:
        node, fingerprint = await admission.admitted(context) if admission else ("", "")
        first = await anext(aiter(requests), None)
        if first is None:
            return
        there = [each for each in connections if (each.node, each.name) == (node, first.node.id)]
        if not there:
            # It comes again, and then perhaps to where its first stream is.
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this node's first stream is not here")
        # Of two, while one Envoy takes over from another, the one that has none yet.
        connection = max(there, key=lambda each: (each.second is None, each.number))
        second = Second(context, fingerprint)
        connection.events.put_nowait((second, first))
        until = (_read(requests, second, connection), second.over.wait(), connection.over.wait())
        tasks = [asyncio.ensure_future(each) for each in until]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    handler = grpc.stream_stream_rpc_method_handler(
        serve,
        request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
    )
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})


def passed_on_alone(metadata: Iterable[tuple[str, str | bytes]]) -> bool:
    """Tell by the metadata of a node's first stream whether it comes by an agent that passes on no second one."""
    said = dict(metadata)
    return str(said.get("user-agent", "")).startswith("grpc-python") and PASSED_ON[0] not in said


async def _read(requests: AsyncIterator[Any], second: Second, connection: Connection) -> None:
    try:
        async for request in requests:
            connection.events.put_nowait((second, request))
    finally:
        connection.events.put_nowait((second, None))
