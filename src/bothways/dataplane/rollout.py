"""Brings a published state to the nodes: what `xds/staging.py` allows to all at once, the rest to one node first.

The node that is first has ten seconds to confirm it; then the canary knocks at it. One that refuses, or where the
canary finds another door than before, is given back what all others have. One that says nothing, or leaves, is not
waited for: another one is first, and if that says nothing either, a third is not risked.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection

from bothways.dataplane.ads import AdsServer
from bothways.xds.passing import Passing
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.staging import HeldBack, Staging, at_once, same_for_all
from bothways.xds.state import HubState

_log = logging.getLogger(__name__)

ANSWER = 10.0
"""Seconds that a node has to confirm what it is given first."""

TRIED = 2
"""Nodes that are given a change of which nobody has said anything yet, one after the other."""

SILENT_AGAIN = 60.0
"""Seconds after which what nobody has answered is tried again."""


async def nothing_wrong(_node: str) -> str:
    """Say nothing against a node, where no canary is."""
    return ""


class Rollout:
    """The nodes that are connected here, and what each of them is given.

    `staged`: one node first, the one that is called `first` if it is connected, else `own`, else the first by name.
    `knock` has the canary look at a node; it returns what is wrong there, empty if nothing is.
    """

    def __init__(
        self,
        ads: AdsServer,
        own: str,
        knock: Callable[[str], Awaitable[str]],
        *,
        staged: bool,
        first: str = "",
    ) -> None:
        self.passing = Passing(ads.snapshot, time.monotonic())
        self._ads, self._own, self._knock = ads, own, knock
        self._staged, self._first = staged, first
        self._staging = Staging()
        self._versions = ("", "")
        self._given: tuple[Snapshot, Snapshot | None, str] = (ads.snapshot, None, "")
        self._wanted: HubState | None = None
        self._snapshots = (ads.snapshot, ads.snapshot)
        self._trial: asyncio.Task[None] | None = None
        self.publish_again()

    @property
    def good(self) -> HubState | None:
        """Return the last state that all nodes may have; None before there is any."""
        return self._staging.good if self._staged else None

    @property
    def held(self) -> HeldBack | None:
        """Return what is held back, if anything is."""
        return self._staging.held

    def take(self, wanted: HubState, everyone: HubState, snapshots: tuple[Snapshot, Snapshot], now: float) -> bool:
        """Bring a state to the nodes: `everyone` is what all get at once, and `snapshots` are those of both.

        Returns whether that is anything new.
        """
        tried = self._staging.first_to_one(wanted, everyone)
        versions = (snapshots[0].version, snapshots[1].version)
        if versions == self._versions:
            return False
        self._versions = versions
        same = self._trial is not None and not self._trial.done() and same_for_all(self._wanted or wanted, wanted)
        self._wanted, self._snapshots = wanted, snapshots
        self.passing.follow(snapshots[1], now)
        if self._trial is not None and same:
            # What is tried, or is to be tried again, is the same: changes that come close together do not put it off.
            if tried:
                self._give(*snapshots, self._given[2])
            else:
                self._give(snapshots[1])
            return True
        if self._trial is not None:
            self._trial.cancel()
            self._trial = None
        alone = len(self._ads.names()) <= 1
        if not tried:
            self._give(snapshots[1])
        elif alone:
            # There is nobody to be kept from it.
            self._pass()
        else:
            # Already here, so that nobody takes what all have for what is wanted.
            self._give(*snapshots, self._next(()))
            self._trial = asyncio.create_task(self._try())
        return True

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

    def _pass(self) -> None:
        if self._wanted is not None:
            self._staging.passed(self._wanted)
        self.passing.follow(self._snapshots[0], time.monotonic())
        self._give(self._snapshots[0])

    def _give(self, snapshot: Snapshot, others: Snapshot | None = None, first: str = "") -> None:
        self._given = (snapshot, others, first)
        self.publish_again()

    async def _try(self) -> None:
        silent: list[str] = []
        while len(silent) < TRIED and (name := self._next(silent)):
            self._give(*self._snapshots, name)
            why = None
            try:
                async with asyncio.timeout(ANSWER):
                    why = await self._ads.answer_of(name, self._snapshots[1])
            except TimeoutError:
                pass
            if why is None:
                silent.append(name)
            elif why or (why := await self._knock(name)):
                self._hold(name, why)
                return
            else:
                self._pass()
                return
        if not silent:
            self._pass()
            return
        self._hold(" and ".join(silent), f"and said nothing in {ANSWER:.0f} s")
        # A node that hangs, or a network, is no fault of what was to be tried.
        await asyncio.sleep(SILENT_AGAIN)
        self._trial = asyncio.create_task(self._try())

    def _hold(self, node: str, why: str) -> None:
        held = HeldBack(self._snapshots[0].version, node, why)
        if self._wanted is not None:
            self._staging.refused(self._wanted, held)
        _log.error("%s", held)
        self._give(self._snapshots[1])

    def _next(self, tried: Collection[str]) -> str:
        """Return who is first of those that are connected and were not tried, empty if nobody is left."""
        there = sorted(self._ads.names() - set(tried), key=lambda each: (each != self._first, each != self._own, each))
        return there[0] if there else ""


def both_snapshots(good: HubState | None, wanted: HubState) -> tuple[HubState, tuple[Snapshot, Snapshot]]:
    """Return what all nodes get at once of a state, and the snapshots of the state and of that."""
    everyone = at_once(good, wanted) if good else wanted
    snapshot = build_snapshot(wanted)
    return everyone, (snapshot, snapshot if everyone is wanted else build_snapshot(everyone))
