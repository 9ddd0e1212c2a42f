"""Brings a published state to the nodes: what `xds/staging.py` allows to all at once, the rest to one node first.

The node that is first has ten seconds to confirm it; then the canary knocks at it, as it did just
before. One that refuses, or where the canary finds another door than before, is given back what all others have. One
that says nothing, or leaves, is not waited for: another one is first, and if that says nothing either, a third is not
risked.

What came of it stands in the database, and of several control planes one at a time tries: nobody gives to all what was
held back, or what nobody has tried, be it after a restart or at another control plane.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from bothways.dataplane.ads import AdsServer
from bothways.operations.closed_in_thread import closed_in_thread
from bothways.operations.hub import Hub
from bothways.operations.rollout import hold_back, pass_to_all, read_rollout, release
from bothways.store.database import Turn
from bothways.xds.kept import digest_of, known_as
from bothways.xds.passing import Passing
from bothways.xds.snapshot import Snapshot
from bothways.xds.staging import HeldBack, Staging
from bothways.xds.state import HubState

_log = logging.getLogger(__name__)

ANSWER = 10.0
"""Seconds that a node has to confirm what it is given first."""

TRIED = 2
"""Nodes that are given a change of which nobody has said anything yet, one after the other."""

SILENT_AGAIN = timedelta(seconds=60)
"""After which what nobody has answered is tried again."""

_LOOK = 0.1


Knock = Callable[[str], Awaitable[Callable[[], Awaitable[str]]]]
"""Looks at a node, and returns what looks at it again: what is wrong there then, empty if nothing is."""


async def nothing_wrong(_node: str) -> Callable[[], Awaitable[str]]:
    """Say nothing against a node, where no canary is."""

    async def look() -> str:
        return ""

    return look


class Rollout:
    """The nodes that are connected here, and what each of them is given.

    `staged`: one node first, the one that is called `first` if it is connected, else `own`, else the first by name. If
    `elsewhere` names it, the control plane that it is connected to has as long to try as a node has to answer.
    `knock` has the canary look at a node before it is given something, and returns what looks at it again after that.
    """

    def __init__(
        self,
        hub: Hub,
        ads: AdsServer,
        own: str,
        knock: Knock,
        *,
        staged: bool,
        first: str = "",
        elsewhere: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self.passing = Passing(ads.snapshot, time.monotonic())
        self.staged = staged
        self._hub, self._ads, self._own, self._knock, self._first = hub, ads, own, knock, first
        self._elsewhere, self._left_until = elsewhere, 0.0
        self._staging = Staging()
        self._taken: tuple[str, str, HeldBack | None] = ("", "", None)
        self._given: tuple[Snapshot, Snapshot | None, str] = (ads.snapshot, None, "")
        self._wanted: HubState | None = None
        self._snapshots = (ads.snapshot, ads.snapshot)
        self._trial: asyncio.Task[None] | None = None
        self._failure = ""
        self.publish_again()

    @property
    def good(self) -> HubState | None:
        """Return the last state that all nodes may have; None before there is any."""
        return self._staging.good if self.staged else None

    @property
    def held(self) -> HeldBack | None:
        """Return what is held back, if anything is."""
        return self._staging.held

    def take(
        self,
        wanted: HubState,
        everyone: HubState,
        snapshots: tuple[Snapshot, Snapshot],
        now: float,
        held: HeldBack | None = None,
    ) -> bool:
        """Bring a state to the nodes: `everyone` is what all get at once, and `snapshots` are those of both.

        `held` is what is on record as held back. Returns whether the state is a new one.
        """
        tried = self._staging.first_to_one(wanted, everyone, held)
        taken, before = (snapshots[0].version, snapshots[1].version, self.held), self._taken
        if taken == before:
            return False
        same = digest_of(self._wanted or wanted) == digest_of(wanted)
        self._taken, self._wanted, self._snapshots = taken, wanted, snapshots
        self.passing.follow(snapshots[1], now)
        if same and self._tries() and (self.held or (tried and not before[2])):
            # What is tried, or is to be tried again, is the same: changes that come close together do not put it off.
            # Whoever let go of what was held back wants it tried now.
            self._give(*((snapshots[1],) if self.held else (*snapshots, self._given[2])))
        else:
            self._begin(wanted, tried=tried)
        return taken[:2] != before[:2]

    def probe(self, tsp_ids: Collection[str]) -> bool:
        """Bring the ways to these customers' servers to the nodes, for probes; tell whether all are known."""
        before = self.passing.probed
        known = [self.passing.probe(each, time.monotonic()) for each in tsp_ids]
        if self.passing.probed != before:
            self.publish_again()
        return all(known)

    def let_go(self, probed: Collection[str]) -> None:
        """Take away from the nodes what was there for a while, but no way of these probes of other control planes."""
        if self.passing.waits and self._ads.quiet():
            self.passing.confirmed(time.monotonic())
        self.probe(probed)
        if self.passing.end(time.monotonic()):
            self.publish_again()

    def publish_again(self) -> None:
        """Publish what is added for a while, or is not any more."""
        snapshot, others, first = self._given
        add = self.passing.with_all
        self._ads.publish(add(snapshot), others and add(others), first, held=self.held is not None)

    async def end(self) -> None:
        """Try nothing any more."""
        if self._trial is not None:
            self._trial.cancel()
            await asyncio.gather(self._trial, return_exceptions=True)

    def _begin(self, wanted: HubState, *, tried: bool) -> None:
        if self._trial is not None:
            self._trial.cancel()
            self._trial = None
        if self.held:
            self._keep_from_all(self.held)
        elif not tried:
            self._give(self._snapshots[1])
        elif self._is_alone():
            # There is nobody to be kept from it.
            self._pass(wanted)
        else:
            # Already here, so that nobody takes what all have for what is wanted.
            self._give(*self._snapshots)
            self._left_until = time.monotonic() + ANSWER
            self._trial = asyncio.create_task(self._try())

    def _tries(self) -> bool:
        return self._trial is not None and not self._trial.done()

    def _is_alone(self) -> bool:
        """Tell whether no other node could get it: none is connected or on record here, and none can be elsewhere."""
        return not self._hub.database.shared and not self._ads.away() and len(self._ads.names()) <= 1

    def _give(self, snapshot: Snapshot, others: Snapshot | None = None, first: str = "") -> None:
        self._given = (snapshot, others, first)
        self.publish_again()

    async def _try(self) -> None:
        """Try until something came of it: what fails on the way, like the database, is told and tried again."""
        # Given back also if whoever ends this does not wait for it: it would keep the others waiting.
        async with closed_in_thread(self._hub.database.turn("trial")) as turn:
            while not await self._tried(turn):  # noqa: ASYNC110 - another control plane, or a node that comes
                await asyncio.sleep(_LOOK)

    async def _tried(self, turn: Turn) -> bool:
        """Try if there is a node and it is our turn; whoever has no node leaves it to those that have one."""
        there = self._ads.names()
        left = self._first not in there and self._first in self._elsewhere() and time.monotonic() < self._left_until
        if self._wanted is None or not there or left or not await asyncio.to_thread(turn.mine):
            return False
        try:
            done = await self._try_in_turn(self._wanted)
        except Exception as error:  # noqa: BLE001 - whatever it was: nodes go on with what all have
            if str(error) != self._failure:
                _log.error("what is new cannot be tried at a node: %s", error)
            self._failure, done = str(error), False
        else:
            self._failure = ""
        if not done:
            await asyncio.to_thread(turn.give_back)
        return done

    async def _try_in_turn(self, wanted: HubState) -> bool:
        """Try it, unless another control plane did while this one waited; return False if nobody was there to try it.

        Raises `Unusable` if what came of it cannot be put on record.
        """
        digest, record = digest_of(wanted), await asyncio.to_thread(read_rollout, self._hub)
        if record.given is not None and known_as(record.given) == digest:
            self._pass(self._wanted or wanted)
            return True
        if (held := record.held) and held.digest == digest:
            if held.again_at is None or held.again_at > self._hub.now():
                self._keep_from_all(held)
                return True
            self._staging.held, self._taken = None, (*self._taken[:2], None)
            await asyncio.to_thread(release, self._hub, held)
        if (answer := await self._answer_of_nodes()) is None:
            return False
        silent, why = answer
        if not why:
            await asyncio.to_thread(pass_to_all, self._hub, wanted)
            self._pass(self._wanted or wanted)
            return True
        # A node that hangs, or a network, is no fault of what was to be tried.
        again_at = self._hub.now() + SILENT_AGAIN if silent else None
        held = HeldBack(self._snapshots[0].version, silent or self._given[2], why, digest, again_at)
        await asyncio.to_thread(hold_back, self._hub, held)
        _log.error("%s", held)
        self._keep_from_all(held)
        return True

    async def _answer_of_nodes(self) -> tuple[str, str] | None:
        """Give it to one node, or to another one; return who said nothing, and why it is to be held back, if it is.

        None: nobody was there.
        """
        silent: list[str] = []
        while len(silent) < TRIED and (name := self._next(silent)):
            look = await self._knock(name)
            self._give(*self._snapshots, name)
            try:
                async with asyncio.timeout(ANSWER):
                    why = await self._ads.answer_of(name, self._snapshots[1])
            except TimeoutError:
                silent.append(name)
                continue
            why = why or await look()
            # Otherwise it was taken back meanwhile, and the answer was to something else.
            if self._given[2] == name:
                return "", why
        return (", ".join(silent), f"and said nothing in {ANSWER:.0f} s") if silent else None

    def _pass(self, wanted: HubState) -> None:
        self._staging.passed(wanted)
        self.passing.follow(self._snapshots[0], time.monotonic())
        self._give(self._snapshots[0])

    def _keep_from_all(self, held: HeldBack) -> None:
        self._staging.refused(held)
        self._give(self._snapshots[1])
        if held.again_at:
            self._trial = asyncio.create_task(self._try_later(held.again_at))

    async def _try_later(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self._hub.now()).total_seconds()))
        await self._try()

    def _next(self, tried: Collection[str]) -> str:
        """Return who is first of those that are connected and were not tried, empty if nobody is left."""
        there = sorted(self._ads.names() - set(tried), key=lambda each: (each != self._first, each != self._own, each))
        return there[0] if there else ""
