"""All nodes of all control planes on one database: each writes down how its own stand, and reads of the others'.

So it does with whose servers it probes, for a probe has the nodes of all call them.

What one of them has is in memory, and asked for without a database; what the others say is a second old. On a database
that is a file there are no others, and no heartbeat: then what was written last is there for when the hub has ended.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import Callable

from bothways.dataplane.ads import AdsServer
from bothways.errors import BothwaysError
from bothways.operations.fleet import left_behind, merged
from bothways.operations.hub import Hub
from bothways.operations.settings import EnvoyLifetime
from bothways.operations.standing import Document
from bothways.operations.under_way import Kind
from bothways.store import fleet, under_way
from bothways.store.database import Transaction
from bothways.store.fleet import Told
from bothways.xds.names import embedded_node
from bothways.xds.passing import PROBED_SECONDS

_log = logging.getLogger(__name__)

_LOOK = 0.05
_LAST = 2.0


class Fleet:
    """This control plane among all others, and the nodes of all of them.

    `name` tells people which one it is. `change` is that change of the database which was published here last.
    `beside` returns what else is told of a node that is connected here, by its name; `problem` what ails this one.
    """

    def __init__(
        self,
        hub: Hub,
        ads: AdsServer,
        beside: Callable[[str], Document] = lambda _: {},
        problem: Callable[[], str] = str,
    ) -> None:
        self.name = f"{socket.gethostname()}:{hub.settings.portal_port}"
        self.change = -1
        self._hub, self._ads, self._beside = hub, ads, beside
        self._id = secrets.token_hex(16)
        self._shared, self._own = hub.database.shared, embedded_node(hub.environment.value)
        self._confirmed = self._answered = -1
        self._said: tuple[int, int, frozenset[str]] = (-1, -1, frozenset())
        self._others: tuple[Told, ...] = ()
        self._written: dict[int, Document] = {}
        self._probed: dict[str, float] = {}
        self._probed_written: frozenset[str] = frozenset()
        self._problem, self._problems = problem, dict[str, Document]()
        self._ails, self._ails_written, self._ails_due = "", "", 0.0
        self._due = 0.0
        self._failure = ""

    def nodes(self) -> list[Document]:
        """Return how each node stands, wherever it is connected; one that is connected twice is there twice."""
        own = [self._told_of(each) for each in self._ads.nodes()]
        return merged(own, self._others, self._hub.now(), self._left_behind())

    def away(self) -> tuple[str, ...]:
        """Return the nodes that no control plane has a connection to: on record, or beside one that is gone."""
        there = self.elsewhere()
        beside = (str(each["node"]) for each in self._left_behind())
        return (*(each for each in self._ads.away() if each not in there), *beside)

    def elsewhere(self) -> frozenset[str]:
        """Return the nodes that are connected to other control planes, and not to this one too."""
        there = {each["node"] for told in self._others if told.alive for each in told.nodes if each["connected"]}
        # Of one that is at both, each would leave it to the other.
        return frozenset(map(str, there - self._ads.names()))

    def probe(self, tsp_id: str) -> None:
        """Have the other control planes send this customer's server to their nodes for a probe, for as long as here."""
        self._probed[tsp_id] = time.monotonic() + PROBED_SECONDS

    def probed_elsewhere(self) -> frozenset[str]:
        """Return the customers whose servers other control planes probe."""
        return frozenset().union(*(told.probed for told in self._others if told.alive))

    def planes(self) -> list[Document]:
        """Return which control planes there are, and what each says that ails it, this one first."""
        there = [(self.name, self._hub.now(), self._problem())]
        there += [
            (each.name, each.seen_at, str(self._problems.get(each.id, {}).get("problem", "")))
            for each in self._others
            if each.alive
        ]
        return [{"name": name, "seen_at": at.isoformat(), "problem": problem} for name, at, problem in there]

    async def in_force(self, change: int) -> bool:
        """Wait until the nodes of all other control planes have confirmed this change, or refused of it.

        Returns whether they have confirmed. A control plane that is gone is not waited for.
        """
        while self._shared:
            self._others = await asyncio.to_thread(self._read)
            alive = [each for each in self._others if each.alive]
            if all(max(each.confirmed, each.answered) >= change for each in alive):
                return all(each.confirmed >= change for each in alive)
            await asyncio.sleep(_LOOK)
        return True

    async def run(self) -> None:
        """Write down and read, each second and when the nodes have answered, until this task is cancelled."""
        try:
            while True:
                try:
                    await self._look()
                    self._failure = ""
                except Exception as error:  # noqa: BLE001 - whatever it was: no node is served worse for it
                    if str(error) != self._failure:
                        _log.error("how the nodes stand cannot be written down: %s", error)
                    self._failure = str(error)
                await asyncio.sleep(_LOOK)
        finally:
            if self._shared:
                await self._last_look()

    async def _last_look(self) -> None:
        """Write down that the Envoy beside this control plane is there no more, if it has ended too."""
        with contextlib.suppress(BothwaysError, TimeoutError):
            async with asyncio.timeout(_LAST):
                ends = self._hub.settings.envoy_lifetime is not EnvoyLifetime.SERVICE
                while ends and self._own in self._ads.names():  # noqa: ASYNC110 - another process
                    await asyncio.sleep(_LOOK)
            self._due = 0.0
            await asyncio.wait_for(self._look(), _LAST)

    def _left_behind(self) -> list[Document]:
        return left_behind(self._others, self._own, self.name) if self._shared else []

    async def _look(self) -> None:
        if self.change > self._confirmed and self._ads.quiet():
            self._confirmed = self._answered = self.change
        elif self.change > self._answered and self._ads.answered():
            self._answered = self.change
        self._probed = {tsp_id: until for tsp_id, until in self._probed.items() if until > time.monotonic()}
        says = (self._confirmed, self._answered, frozenset(self._probed))
        if (due := time.monotonic() >= self._due) or (self._shared and says != self._said):
            self._said, self._ails = says, self._problem()
            documents = {number: self._told_of(each) for number, each in self._ads.known().items()} if due else None
            self._due = time.monotonic() + fleet.BEAT.total_seconds() if due else self._due
            await asyncio.to_thread(self._exchange, documents)

    def _told_of(self, document: Document) -> Document:
        plane = self.name if document["connected"] else ""
        return document | {"control_plane": plane} | self._beside(str(document["node"]))

    def _exchange(self, documents: dict[int, Document] | None) -> None:
        """Write down what has changed; without documents, the answers of the nodes alone."""
        changed: dict[int, Document] = {}
        gone: set[int] = set()
        if documents is not None:
            changed = {number: each for number, each in documents.items() if self._written.get(number) != each}
            gone = self._written.keys() - documents.keys()
        if not (self._shared or changed or gone):
            return
        before = self._written, self._probed_written, self._ails_written
        try:
            with self._hub.observations.write(self._hub.now()) as transaction:
                self._exchange_in(transaction, changed, gone)
        except BaseException:
            # It is undone, and so not written: else it would be missing for as long as it does not change.
            self._written, self._probed_written, self._ails_written = before
            raise

    def _exchange_in(self, transaction: Transaction, changed: dict[int, Document], gone: set[int]) -> None:
        if self._beats(transaction):
            fleet.write(transaction, self._id, changed, gone)
            if self._shared and (probed := self._said[2]) != self._probed_written:
                fleet.write_probed(transaction, self._id, probed)
                self._probed_written = probed
            self._written = {**self._written, **changed}
            for number in gone:
                del self._written[number]
        if self._shared:
            self._tell_problem(transaction)
            self._others = fleet.told(transaction.connection, self._hub.now(), besides=self._id)
            there = [each.id for each in self._others if each.alive]
            self._problems = under_way.documents(transaction.connection, Kind.PROBLEM.value, there)

    def _tell_problem(self, transaction: Transaction) -> None:
        if self._ails != self._ails_written or (self._ails and time.monotonic() > self._ails_due):
            under_way.tell(transaction, Kind.PROBLEM.value, {self._id: {"problem": self._ails}})
            self._ails_written, self._ails_due = self._ails, time.monotonic() + under_way.KEPT.total_seconds() / 2

    def _beats(self, transaction: Transaction) -> bool:
        if fleet.beat(transaction, self._id, self._confirmed, self._answered):
            return True
        fleet.begin(transaction, self._id, self.name)
        # Also when somebody has taken everything out meanwhile: it is written again at the next look.
        self._written, self._due, self._probed_written = {}, 0.0, frozenset()
        return False

    def _read(self) -> tuple[Told, ...]:
        with self._hub.observations.read() as connection:
            return fleet.told(connection, self._hub.now(), besides=self._id)
