"""The ADS server: delta xDS over gRPC. It carries messages; what to say is decided in `xds/stream.py`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from envoy.service.discovery.v3 import discovery_pb2

from bothways.dataplane.connection import Connection, Misnamed
from bothways.dataplane.grpc_server import start_local, start_remote
from bothways.dataplane.on_demand import on_demand_handler, passed_on_alone
from bothways.operations.standing import unknown
from bothways.xds.snapshot import Snapshot
from bothways.xds.state import HubState
from bothways.xds.stream import DeltaStream

if TYPE_CHECKING:
    # What it stands on is not needed where nobody is let in: in the process beside Envoy.
    from bothways.dataplane.admission import Admission

_log = logging.getLogger(__name__)

SERVICE, DELTA_METHOD = "envoy.service.discovery.v3.AggregatedDiscoveryService", "DeltaAggregatedResources"
_PUBLISHED = object()


class AdsServer:
    """Serves the last published snapshot to every node that asks, and knows which nodes have it.

    Whoever reaches the unix socket is the hub's own Envoy; remote nodes come to a server of their own, over mutual TLS.
    `came` is the number of the connection that was opened last.
    `fills_only` as in `DeltaStream`: a node keeps what it has. `also` are other services that nodes reach at the same
    places; each is given who of the remote nodes is let in, None at the unix socket.
    """

    def __init__(
        self,
        socket: Path,
        first: Snapshot,
        admission: "Admission | None" = None,
        also: "Sequence[Callable[[Admission | None], Any]]" = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        fills_only: bool = False,
    ) -> None:
        self.snapshot = first
        self._others: Snapshot | None = None
        self._first, self._held = "", False
        self._admission, self._clock = admission, clock
        self._fills_only = fills_only
        self._connections: set[Connection] = set()
        self._numbers, self.came = count(1), 0
        self._left: dict[str, tuple[int, dict[str, Any]]] = {}
        self._progress = asyncio.Condition()
        self._also = tuple(also)
        self._socket = socket
        self._servers: list[Any] = []

    async def start(self) -> None:
        """Begin to listen on the unix socket."""
        self._servers.append(await start_local(self._socket, *self._handlers(None)))

    async def start_remote(self, address: str, port: int) -> None:
        """Begin to listen for remote nodes. Raises `RuntimeError` if the port cannot be used."""
        if self._admission is None:
            raise ValueError("remote nodes are not let in")
        handlers = self._handlers(self._admission)
        self._servers.append(await start_remote(address, port, self._admission.credentials(), *handlers))

    async def stop(self) -> None:
        """Close all streams at once; nodes go on with what they have."""
        for server in self._servers:
            await server.stop(None)

    def publish(
        self, snapshot: Snapshot, others: Snapshot | None = None, first: str = "", *, held: bool = False
    ) -> None:
        """Send what the snapshot changes to every connected node; with `others`, to the one that is `first` alone.

        `held`: more was to be published, and is kept back, so that nothing more is confirmed by what is confirmed.
        """
        self.snapshot, now = snapshot, self._clock()
        self._others, self._first, self._held = others, first, held
        for each in self._connections:
            each.behind_since = each.behind_since or now
            # A sign, and not the snapshot: a node that reads slowly keeps none of those that were overtaken in memory.
            each.events.put_nowait(_PUBLISHED)

    def follow(self, state: HubState) -> None:
        """Let in the nodes of this state and no others: streams of others end at once, and get nothing more."""
        if self._admission is None:
            return
        self._admission.follow(state)
        for each in [each for each in self._connections if each.node]:
            if not self._admission.admits(each.node, each.fingerprint):
                _log.warning("node %s is let in no more, its stream from %s is closed", each.node, each.peer)
                self._forget(each)
                if each.talk is not None:
                    each.talk.cancel()
            elif each.second:
                each.second.follow(self._admission, each.node)
        for name in self._left.keys() - set(self._admission.names):
            del self._left[name]

    async def sent(self) -> None:
        """Wait until what was published is on its way to every connected node; one that reads slowly is waited for."""
        async with self._progress:
            await self._progress.wait_for(
                lambda: not any(each.busy or each.events.qsize() for each in self._connections)
            )

    async def settled(self) -> bool:
        """Wait until every connected node, one at least, has confirmed the last published snapshot, or refused of it.

        Returns whether all have confirmed. What is published meanwhile is waited for too: a node confirms the last one
        alone, and that has in it whatever the one before changed and did not change back.
        """
        async with self._progress:
            await self._progress.wait_for(self.answered)
            return not self._held and not self._refusals(self._connections)

    def quiet(self) -> bool:
        """Tell whether all connected nodes have confirmed the last published snapshot by now."""
        return self._others is None and not self._held and all(self._settled(each) for each in self._connections)

    def answered(self) -> bool:
        """Tell whether all connected nodes have by now confirmed the last published snapshot, or refused of it."""
        return self._others is None and self._answered(self._connections)

    def names(self) -> set[str]:
        """Return the names of the nodes that are connected."""
        return {each.name for each in self._connections}

    async def answer_of(self, name: str, before: Snapshot) -> str:
        """Wait until a node has answered what is published; return what it refuses that was not so before, or ""."""
        async with self._progress:
            found = await self._progress.wait_for(lambda: self._answer_of(name, before))
            return found if isinstance(found, str) else ""

    async def confirmed(self) -> None:
        """Wait until the hub's own Envoy has confirmed the last published snapshot.

        A refusal is waited out: it ends when another snapshot mends it, or when the stream of the node ends.
        """
        async with self._progress:
            await self._progress.wait_for(lambda: self._answered(self._own()) and not self.refusals())

    async def confirmed_other_than(self, version: str) -> str:
        """Wait until the hub's own Envoy has confirmed a last snapshot that is not of this version; return its version.

        Remote nodes are not waited for: one that hangs must not keep the canary from the endpoint.
        """
        async with self._progress:
            await self._progress.wait_for(
                lambda: self.snapshot.version != version and self._answered(self._own()) and not self.refusals()
            )
            return self.snapshot.version

    def nodes(self) -> list[dict[str, Any]]:
        """Return what is known of each node, connected or on record: what it has, what it refused, since when.

        A node that is connected twice is there twice: an Envoy that takes over from another, or a stolen certificate.
        """
        connected = [each for each in self.known().values() if each["connected"]]
        away = [self._left[name][1] if name in self._left else unknown(name) for name in self.away()]
        return sorted([*connected, *away], key=lambda each: (str(each["node"]), str(each["since"])))

    def known(self) -> dict[int, dict[str, Any]]:
        """Return what is known of each connection that there is, and of the last one of each node that has left."""
        now, away = self._clock(), set(self.away())
        left = {number: document for name, (number, document) in self._left.items() if name in away}
        return left | {each.number: each.document(self._snapshot_of(each), now) for each in self._connections}

    def away(self) -> tuple[str, ...]:
        """Return the names of the nodes on record that are not connected: each goes on with what it has."""
        there = {each.node for each in self._connections}
        return tuple(name for name in (self._admission.names if self._admission else ()) if name not in there)

    def refusals(self) -> tuple[str, ...]:
        """Return what the hub's own Envoy refuses, each reason once, on one line; not of what serves one customer."""
        return self._refusals(self._own())

    @property
    def unpacked(self) -> tuple[str, ...]:
        """Return why connected nodes lack what cannot be packed, each reason once."""
        return tuple(dict.fromkeys(said for each in self._connections for said in each.stream.unpacked))

    def _handlers(self, admission: "Admission | None") -> list[Any]:
        """Return the services; without admission, for whoever reaches them."""
        handler = grpc.stream_stream_rpc_method_handler(
            partial(self._serve, admission),
            request_deserializer=discovery_pb2.DeltaDiscoveryRequest.FromString,
        )
        own = grpc.method_handlers_generic_handler(SERVICE, {DELTA_METHOD: handler})
        second = on_demand_handler(self._connections, admission)
        return [own, second, *(also(admission) for also in self._also)]

    def _own(self) -> set[Connection]:
        return {each for each in self._connections if not each.node}

    def _snapshot_of(self, connection: Connection) -> Snapshot | None:
        is_first = self._first and connection.name == self._first
        given = self.snapshot if self._others is None or is_first else self._others
        return connection.takes(given.remote.get(connection.node) if connection.node else given)

    def _answer_of(self, name: str, before: Snapshot) -> str | bool:
        own = {each for each in self._connections if each.name == name}
        earlier = before.remote.get(name, before)
        refused = dict.fromkeys(
            " ".join(said.split())
            for each in own
            if (wanted := self._snapshot_of(each))
            for said in each.stream.refused_since(earlier, wanted)
        )
        if refused:
            return f"and refused it: {'; '.join(refused)}"
        return self._answered(own) and all(self._settled(each) or not each.stream.waits for each in own)

    def _settled(self, connection: Connection) -> bool:
        return connection.settled(self._snapshot_of(connection))

    def _refusals(self, connections: set[Connection]) -> tuple[str, ...]:
        said = (text for each in connections for text in each.stream.refused_by_need)
        return tuple(dict.fromkeys(" ".join(text.split()) for text in said))

    def _answered(self, connections: set[Connection]) -> bool:
        # What was refused counts once the stream has taken all that was published: the last of it may mend it.
        return bool(connections) and all(
            self._settled(each) or (each.stream.refused_by_need and each.events.empty()) for each in connections
        )

    async def _serve(self, admission: "Admission | None", requests: AsyncIterator[Any], context: Any) -> None:
        peer = str(context.peer())
        self.came = next(self._numbers)
        connection = Connection(self.came, peer, self._clock(), DeltaStream(fills_only=self._fills_only))
        if admission is not None:
            connection.node, connection.fingerprint = await admission.admitted(context)
            connection.alone = passed_on_alone(context.invocation_metadata())
        self._connections.add(connection)
        connection.talk = asyncio.create_task(self._talk(connection, requests, context))
        try:
            await connection.talk
        except Misnamed as error:
            if admission is not None:
                admission.turn_away(peer, connection.node, str(error))
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        except asyncio.CancelledError:
            if connection in self._connections:
                connection.talk.cancel()
                raise
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "this node was withdrawn")
        finally:
            self._forget(connection)
            # Whoever waited for this node alone need not wait any longer.
            async with self._progress:
                self._progress.notify_all()

    async def _talk(self, connection: Connection, requests: AsyncIterator[Any], context: Any) -> None:
        events, stream = connection.events, connection.stream
        reader = asyncio.create_task(connection.read(requests))
        try:
            while (event := await events.get()) is not None:
                connection.busy, connection.steps = True, connection.steps + 1
                # A node without a snapshot is answered nothing: an empty one would take away what it has.
                if (own := self._snapshot_of(connection)) is None:
                    return
                if event is _PUBLISHED:
                    responses = stream.publish(own)
                elif isinstance(event, tuple):
                    responses = event[0].said(connection, event[1], own)
                else:
                    connection.require_name(event)
                    if event.response_nonce:
                        connection.answered_at = self._clock()
                    responses = stream.receive(event, own)
                for response in responses:
                    await connection.write(response, context)
                connection.busy = False
                async with self._progress:
                    self._progress.notify_all()
        finally:
            reader.cancel()

    def _forget(self, connection: Connection) -> None:
        connection.over.set()
        if connection in self._connections:
            self._connections.remove(connection)
            if connection.node:
                self._left[connection.node] = (connection.number, connection.last_words(self._clock()))
