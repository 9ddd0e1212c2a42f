"""One open stream of a node, as the control plane knows it: what it has, since when it is behind, what it refused."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bothways.xds import names
from bothways.xds.one_stream import over_one_stream
from bothways.xds.response import Response
from bothways.xds.snapshot import Snapshot
from bothways.xds.stream import DeltaStream

if TYPE_CHECKING:
    from bothways.dataplane.on_demand import Second

_log = logging.getLogger(__name__)


class Misnamed(Exception):
    """A node calls itself by another name than its certificate does."""


@dataclass(eq=False, slots=True)
class Connection:
    """`node` and `fingerprint` are those of a remote node's certificate, empty for our own Envoy.

    `number` tells it apart from all others of this server, ever. `behind_since` is when it was first offered what it
    has not confirmed, None while it has all; `steps` counts what was said on it. `second` is the node's stream for what
    is on demand, if there is one; with `alone`, there can be none. `over` is set when this one has ended.
    """

    number: int
    peer: str
    since: datetime
    stream: DeltaStream
    node: str = ""
    fingerprint: str = ""
    events: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    answered_at: datetime | None = None
    behind_since: datetime | None = None
    busy: bool = False
    steps: int = 0
    second: "Second | None" = None
    talk: "asyncio.Task[None] | None" = None
    alone: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _taken: tuple[Snapshot | None, Snapshot | None] = (None, None)
    _judged: tuple[Snapshot | None, int, bool] = (None, -1, False)

    @property
    def name(self) -> str:
        """Return what the node is called: by its certificate, or else by itself."""
        return self.node or self.stream.node_id

    def require_name(self, request: Any) -> None:
        """Raise `Misnamed` unless a remote node calls itself as its certificate does: in its first message, it must."""
        said, wanted = request.node.id, self.node
        if wanted and said != wanted and (said or not self.stream.node_id):
            raise Misnamed(f"the node calls itself {said[:80]!r}, and its certificate is that of {wanted}")

    async def write(self, response: Response, context: Any) -> None:
        """Send a response by the stream on which it was asked for, of which `context` is the first.

        What cannot be packed keeps nothing else from the node.
        """
        if response.type_url == names.ON_DEMAND_TYPE and not self.second:
            return
        written, failed = response.serialized()
        if failed:
            self.stream.not_packed(response, failed)
            for said in failed.values():
                _log.error("node %s: %s", self.name, said)
        if response.type_url != names.ON_DEMAND_TYPE:
            await context.write(written)
        elif self.second:
            await self.second.write(written)

    async def read(self, requests: AsyncIterator[Any]) -> None:
        """Take in what the node says, until the stream ends."""
        try:
            async for request in requests:
                self.events.put_nowait(request)
        finally:
            self.events.put_nowait(None)

    def takes(self, offered: Snapshot | None) -> Snapshot | None:
        """Return a snapshot as this node can take it: as it is, unless what is between it and here is older."""
        if offered is None or not self.alone:
            return offered
        if self._taken[0] is not offered:
            self._taken = (offered, over_one_stream(offered))
        return self._taken[1]

    def settled(self, wanted: Snapshot | None) -> bool:
        """Tell whether it has confirmed the snapshot; where nothing was said since the last look, nobody looks."""
        if wanted is None:
            return False
        snapshot, steps, found = self._judged
        if snapshot is not wanted or steps != self.steps:
            found = self.stream.settled(wanted)
            self._judged = (wanted, self.steps, found)
        return found

    def document(self, wanted: Snapshot | None, now: datetime) -> dict[str, Any]:
        """Return what the status says of it, for which `wanted` is what it was offered last."""
        settled = self.settled(wanted)
        if settled:
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = now
        return {
            "node": self.name,
            "connected": True,
            "peer": self.peer,
            "since": self.since.isoformat(),
            # What a version does not change for a node, it is not sent, and does not confirm.
            "version": wanted.version if settled and wanted else self.stream.version,
            "answered_at": self.answered_at and self.answered_at.isoformat(),
            "settled": settled,
            "behind_since": self.behind_since and self.behind_since.isoformat(),
            "refused": dict(self.stream.refusals),
            "customers": self.stream.customers,
        }

    def last_words(self, now: datetime) -> dict[str, Any]:
        """Return what is told of it from now on, when it has left: what it had, and goes on with if it runs."""
        return self.document(None, now) | {
            "connected": False,
            "since": now.isoformat(),
            "peer": "",
            "refused": {},
            "customers": 0,
        }
