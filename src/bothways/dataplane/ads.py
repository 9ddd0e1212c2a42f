"""The ADS server: delta xDS over gRPC. It carries messages; what to say is decided in `xds/stream.py`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from envoy.service.discovery.v3 import discovery_pb2

from bothways.xds.snapshot import Snapshot
from bothways.xds.stream import DeltaStream

_SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_UNLIMITED = -1


class AdsServer:
    """Serves the last published snapshot to every node that asks, and knows which nodes have it.

    `fills_only` as in `DeltaStream`: a node keeps what it has. `also` are handlers of other services that nodes reach
    at the same socket.
    """

    def __init__(self, socket: Path, first: Snapshot, also: Sequence[Any] = (), *, fills_only: bool = False) -> None:
        self.snapshot = first
        self._fills_only = fills_only
        self._streams: dict[DeltaStream, asyncio.Queue[Any]] = {}
        self._progress = asyncio.Condition()
        handler = grpc.stream_stream_rpc_method_handler(
            self._serve,
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
            response_serializer=discovery_pb2.DeltaDiscoveryResponse.SerializeToString,
        )
        options = [("grpc.max_receive_message_length", _UNLIMITED), ("grpc.max_send_message_length", _UNLIMITED)]
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"DeltaAggregatedResources": handler}), *also)
        )
        self._socket = socket

    async def start(self) -> None:
        """Begin to listen on the unix socket."""
        self._socket.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{self._socket}")
        await self._server.start()
        self._socket.chmod(0o600)

    async def stop(self) -> None:
        """Close all streams at once; nodes go on with what they have."""
        await self._server.stop(None)

    def publish(self, snapshot: Snapshot) -> None:
        """Send what the snapshot changes to every connected node."""
        self.snapshot = snapshot
        for events in self._streams.values():
            events.put_nowait(snapshot)

    async def settled(self) -> bool:
        """Wait until every connected node, one at least, has confirmed the last published snapshot, or refused of it.

        Returns whether all have confirmed. What is published meanwhile is waited for too: a node confirms the last one
        alone, and that has in it whatever the one before changed and did not change back.
        """
        async with self._progress:
            await self._progress.wait_for(self._answered)
            return not self.refusals()

    async def confirmed(self) -> None:
        """Wait until every connected node, one at least, has confirmed the last published snapshot.

        A refusal is waited out: it ends when another snapshot mends it, or when the stream of the node ends.
        """
        async with self._progress:
            await self._progress.wait_for(lambda: self._answered() and not self.refusals())

    async def confirmed_other_than(self, version: str) -> str:
        """Wait until every connected node, one at least, has confirmed a last snapshot that is not of this version.

        Returns its version.
        """
        async with self._progress:
            await self._progress.wait_for(
                lambda: self.snapshot.version != version and self._answered() and not self.refusals()
            )
            return self.snapshot.version

    def nodes(self) -> list[dict[str, Any]]:
        """Return what is known of each connected node: its id, whether it has the last snapshot, what it refused."""
        return [
            {"node": stream.node_id, "settled": stream.settled(self.snapshot), "refused": dict(stream.refusals)}
            for stream in self._streams
        ]

    def refusals(self) -> tuple[str, ...]:
        """Return what the connected nodes refuse of what they were sent, each reason once, on one line."""
        said = (text for stream in self._streams for text in stream.refusals.values())
        return tuple(dict.fromkeys(" ".join(text.split()) for text in said))

    def _answered(self) -> bool:
        # What was refused counts once the stream has taken all that was published: the last of it may mend it.
        return bool(self._streams) and all(
            stream.settled(self.snapshot) or (stream.refusals and events.empty())
            for stream, events in self._streams.items()
        )

    async def _serve(self, requests: AsyncIterator[Any], context: Any) -> None:
        stream, events = DeltaStream(fills_only=self._fills_only), asyncio.Queue[Any]()
        self._streams[stream] = events
        reader = asyncio.create_task(_read(requests, events))
        try:
            while (event := await events.get()) is not None:
                if isinstance(event, Snapshot):
                    responses = stream.publish(event)
                else:
                    responses = stream.receive(event, self.snapshot)
                for response in responses:
                    await context.write(response)
                async with self._progress:
                    self._progress.notify_all()
        finally:
            reader.cancel()
            del self._streams[stream]
            # Whoever waited for this node alone need not wait any longer.
            async with self._progress:
                self._progress.notify_all()


async def _read(requests: AsyncIterator[Any], events: "asyncio.Queue[Any]") -> None:
    try:
        async for request in requests:
            events.put_nowait(request)
    finally:
        events.put_nowait(None)
