"""Takes in what the access logs tell: gathers it, bounded, and has it judged and stored once a second in a thread.

A flood costs a dictionary entry for what is new, a count for what is not, and nothing beyond: the rest is dropped, and
how much is told.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from bothways.connectivity.observation import FailedHandshake, Failure
from bothways.dataplane.access_log import Connection, Record
from bothways.errors import BothwaysError
from bothways.operations.hub import Hub
from bothways.operations.observations import Times, connections_seen, observe
from bothways.operations.under_way import knocked, tell_knocks

_log = logging.getLogger(__name__)

ACTOR = "hub"
STRANGERS, PROVED = 50, 50
"""How many different failures are judged a second: failed handshakes, and refused requests of certificates of ours."""
OF_ONE = 10
"""How many of them may be of one caller, told by its address or its proved certificate: none hides another."""
CONNECTIONS = 2000
"""How many callers that went well are taken note of in a round; the others are at their next connection."""
_EVERY = 1.0
_CONNECTIONS_EVERY = 10.0
_SEEN_AGAIN = 3600.0
_OWN = 60.0
_TELL = 0.5
_KNOCKS = 1000
_PORTS = 20
_REMEMBERED = 50_000


class Intake:
    """Gathers records between two rounds. `taken` counts the failed calls that were told, `dropped` those not kept."""

    def __init__(self, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = replace(hub, actor=ACTOR)
        self._clock = clock
        self._failures: dict[Failure, Times] = {}
        self._lanes: Counter[str] = Counter()
        self._connections: set[Connection] = set()
        self._seen: dict[Connection, float] = {}
        self._own: dict[tuple[str, str], float] = {}
        self._knocks: list[str] = []
        self._telling: asyncio.Task[None] | None = None
        self._failure = ""
        self.taken = 0
        self.dropped = 0

    def document(self) -> dict[str, int]:
        """Return the counts since the start as the JSON object that the control socket answers."""
        return {"taken": self.taken, "dropped": self.dropped}

    async def disregard(self, address: str, port: int) -> None:
        """Leave out what comes of a connection of our own, which is about to be made from there.

        Where there are several control planes, a node tells each in turn why calls failed: all are to leave it out.
        """
        now = self._clock()
        self._own = {each: made for each, made in self._own.items() if now - made < _OWN}
        self._own[address, str(port)] = now
        if self._hub.database.shared:
            self._knocks = [*self._knocks[-_KNOCKS:], knocked(address, port)]
            if self._telling is None or self._telling.done():
                self._telling = asyncio.create_task(self._tell_knocks())
            # A database that hangs keeps nobody from looking at the endpoint.
            await asyncio.wait({self._telling}, timeout=_TELL)

    async def _tell_knocks(self) -> None:
        while self._knocks:
            places, self._knocks = self._knocks, []
            # What it failed with, whoever else uses the database says too.
            with contextlib.suppress(BothwaysError):
                await asyncio.to_thread(tell_knocks, self._hub, places)

    def take(self, records: Iterable[Record]) -> None:
        """Gather records; never blocks, never fails, and holds a bounded number of them."""
        for record in records:
            if isinstance(record, Connection):
                self._connect(record)
            else:
                self._fail(record)

    async def run(self) -> None:
        """Judge and store what was gathered, until this task is cancelled; what fails is told once, and lost."""
        due = 0.0
        while True:
            try:
                await self.store()
                if self._connections and self._clock() >= due:
                    await self.store_connections()
                    due = self._clock() + _CONNECTIONS_EVERY
                self._failure = ""
            except Exception as error:  # noqa: BLE001 - whatever it was: nobody's calls depend on an observation
                self._failed(error)
            await asyncio.sleep(_EVERY)

    async def store(self) -> None:
        """Judge and store the failed calls that were gathered."""
        failures, self._failures, self._lanes = self._failures, {}, Counter()
        await asyncio.to_thread(observe, self._hub, failures)

    async def store_connections(self) -> None:
        """Take note of the connections that were gathered."""
        connections, self._connections = self._connections, set()
        pairs = [(each.fingerprint, each.source) for each in connections]
        await asyncio.to_thread(connections_seen, self._hub, pairs)

    def _fail(self, failure: Failure) -> None:
        if isinstance(failure, FailedHandshake) and (failure.source, failure.port) in self._own:
            return
        self.taken += 1
        if known := self._failures.get(failure):
            ports = (*known.ports, *_port(failure))[:_PORTS]
            self._failures[failure] = Times(known.count + 1, max(known.last_at, failure.at), ports)
            return
        if isinstance(failure, FailedHandshake):
            lane, most, caller = "strangers", STRANGERS, failure.source
        else:
            lane, most, caller = "proved", PROVED, failure.fingerprint
        if self._lanes[lane] >= most or self._lanes[caller] >= OF_ONE:
            self.dropped += 1
            return
        self._lanes.update((lane, caller))
        self._failures[failure] = Times(1, failure.at, _port(failure))

    def _connect(self, connection: Connection) -> None:
        now = self._clock()
        if now - self._seen.get(connection, -_SEEN_AGAIN) < _SEEN_AGAIN or len(self._connections) >= CONNECTIONS:
            return
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[connection] = now
        self._connections.add(connection)

    def _failed(self, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"
        if told != self._failure:
            _log.error("why calls fail cannot be stored: %s", told)
        self._failure = told


def _port(failure: Failure) -> tuple[str, ...]:
    return (failure.port,) if isinstance(failure, FailedHandshake) else ()
