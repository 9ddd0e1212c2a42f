"""What stands between a remote Envoy and the control plane: it passes each message on, and keeps what was confirmed.

The control plane talks to Envoy itself: what is confirmed or refused, and what is asked for, are Envoy's own words.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from envoy.service.discovery.v3 import discovery_pb2

from bothways.dataplane.ads import DELTA_METHOD, SERVICE
from bothways.dataplane.grpc_server import start_local
from bothways.dataplane.hub_line import HubLine
from bothways.dataplane.load_report import METHOD as REPORT_METHOD
from bothways.dataplane.load_report import SERVICE as REPORT_SERVICE
from bothways.dataplane.on_demand import METHOD as ON_DEMAND_METHOD
from bothways.dataplane.on_demand import PASSED_ON
from bothways.dataplane.on_demand import SERVICE as ON_DEMAND_SERVICE
from bothways.dataplane.saved import SavedSnapshot
from bothways.errors import Unusable
from bothways.xds import names
from bothways.xds.followed import Followed
from bothways.xds.snapshot import Snapshot

_log = logging.getLogger(__name__)

_AGAIN = 1.0
_ENDED = (grpc.RpcError, grpc.aio.UsageError, asyncio.InvalidStateError)


@dataclass(eq=False, slots=True)
class _Stream:
    """One stream of an Envoy, or its `second` one, for what is on demand, beside its `first`."""

    followed: Followed
    first: "_Stream | None" = None
    second: "_Stream | None" = None
    said: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)

    def passes(self, message: Any, follow: Callable[[Any], None]) -> None:
        """Have a message followed, what is on demand told apart; of a second one whose place is taken, none."""
        if self.first is None:
            follow(message)
        elif self.first.second is self:
            message.type_url = names.ON_DEMAND_TYPE
            follow(message)


class Relay:
    """Listens for Envoy while a control plane serves, and only then, so that whoever looks finds that it is away.

    An Envoy's word that it has something goes to the control plane after it was saved: what the control plane calls in
    force survives every restart of this machine. `problem` is why it cannot be saved, and `changed` is called when
    that changes.
    """

    def __init__(
        self,
        socket: Path,
        line: HubLine,
        saved: SavedSnapshot,
        now: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._socket = socket
        self._line = line
        self._saved = saved
        self._now = now
        self._changed = changed
        self._base: Snapshot | None = None
        self._server: Any = None
        self._streams: list[_Stream] = []
        self._before: Followed | None = None
        self._saving = asyncio.Lock()
        self.problem = ""

    async def begin(self) -> None:
        """Learn what was saved last, and whether the control plane answers."""
        try:
            if held := await asyncio.to_thread(self._saved.load):
                self._base = held.snapshot
        except Unusable as error:
            _log.error("%s", error)
        await self._answers(there=await self._line.first_word())

    async def run(self) -> None:
        """Pass on what there is, until this task is cancelled."""
        again = asyncio.create_task(self._keep_trying())
        try:
            await self._line.follow(self._answers)
        finally:
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)
            await self._answers(there=False)
            await self._line.close()

    async def _answers(self, *, there: bool) -> None:
        if there and self._server is None:
            self._server = await start_local(self._socket, *self._handlers())
        elif not there and self._server is not None:
            server, self._server = self._server, None
            await server.stop(None)

    def _handlers(self) -> Iterator[Any]:
        # Bytes in, bytes out: what this release does not know of passes as it is.
        for service, method, behavior in (
            (SERVICE, DELTA_METHOD, self._serve),
            (ON_DEMAND_SERVICE, ON_DEMAND_METHOD, self._serve_on_demand),
            (REPORT_SERVICE, REPORT_METHOD, self._report),
        ):
            handler = grpc.stream_stream_rpc_method_handler(behavior)
            yield grpc.method_handlers_generic_handler(service, {method: handler})

    async def _serve(self, requests: AsyncIterator[bytes], context: Any) -> None:
        stream = _Stream(Followed(self._base, self._before))
        self._streams.append(stream)
        channel = self._line.channel
        call = channel.stream_stream(f"/{SERVICE}/{DELTA_METHOD}")(metadata=(PASSED_ON,))
        try:
            ended = await self._pass_on(stream, requests, call, context)
        finally:
            self._streams.remove(stream)
            self._before = stream.followed
        if ended and (code := await call.code()) is not grpc.StatusCode.OK:
            # Which code it was is not always the control plane's word: whoever was found writing is told no more.
            self._line.look_again(channel)
            await context.abort(code, await call.details())

    async def _serve_on_demand(self, requests: AsyncIterator[bytes], context: Any) -> None:
        """Pass on an Envoy's stream for what is on demand: it goes where its first one goes, and ends with that."""
        there = [each for each in self._streams if each.second is None] or self._streams
        if not there:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this node's first stream is not here")
        first = there[-1]
        first.second = second = _Stream(first.followed, first)
        first.followed.end_on_demand()
        call = self._line.channel.stream_stream(f"/{ON_DEMAND_SERVICE}/{ON_DEMAND_METHOD}")()
        try:
            ended = await self._pass_on(second, requests, call, context)
        finally:
            if first.second is second:
                first.second = None
                first.followed.end_on_demand()
        if ended and (code := await call.code()) is not grpc.StatusCode.OK:
            await context.abort(code, await call.details())

    async def _pass_on(self, stream: _Stream, requests: AsyncIterator[bytes], call: Any, context: Any) -> bool:
        """Pass on what both sides say until one has ended; tell whether that was the control plane."""
        parts = [
            asyncio.create_task(each)
            for each in (_read(requests, stream), self._up(stream, call), self._down(stream, call, context))
        ]
        try:
            await asyncio.wait(parts[1:], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for part in parts:
                part.cancel()
            for failure in await asyncio.gather(*parts, return_exceptions=True):
                if isinstance(failure, Exception) and not isinstance(failure, _ENDED):
                    _log.error("a stream between Envoy and the hub failed: %s: %s", type(failure).__name__, failure)
            ended: bool = call.done()
            call.cancel()
        return ended

    async def _report(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Pass on what Envoy reports of its load, of which nothing is kept."""
        call = self._line.channel.stream_stream(f"/{REPORT_SERVICE}/{REPORT_METHOD}")(requests)
        try:
            async for asked in call:
                yield asked
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "")
        finally:
            call.cancel()

    async def _up(self, stream: _Stream, call: Any) -> None:
        while True:
            said = [await stream.said.get()]
            while not stream.said.empty():
                said.append(stream.said.get_nowait())
            messages = [each for each in said if each is not None]
            for each in messages:
                stream.passes(discovery_pb2.DeltaDiscoveryRequest.FromString(each), stream.followed.request)
            await self._keep(stream.first or stream)
            for each in messages:
                await call.write(each)
            if None in said:
                await call.done_writing()
                return

    async def _down(self, stream: _Stream, call: Any, context: Any) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            stream.passes(discovery_pb2.DeltaDiscoveryResponse.FromString(message), stream.followed.response)
            await context.write(message)

    async def _keep(self, stream: _Stream) -> None:
        """Save what this Envoy has confirmed, if it is the newest one and that can be served as it is."""
        async with self._saving:
            if stream not in self._streams[-1:] or not stream.followed.whole():
                return
            snapshot = stream.followed.take()
            if snapshot is None:
                return
            try:
                await asyncio.to_thread(self._saved.save, snapshot, self._now())
                self._base = snapshot
                self._say("")
            except Unusable as error:
                stream.followed.not_kept()
                # In force all the same; what it costs is told.
                self._say(f"an Envoy that starts without the hub would serve an older state: {error}")

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            if problem:
                _log.error("%s", problem)
            self._changed()

    async def _keep_trying(self) -> None:
        while True:
            await asyncio.sleep(_AGAIN)
            if self.problem and self._streams:
                await self._keep(self._streams[-1])


async def _read(requests: AsyncIterator[bytes], stream: _Stream) -> None:
    with contextlib.suppress(grpc.aio.UsageError):
        async for each in requests:
            stream.said.put_nowait(each)
    stream.said.put_nowait(None)
