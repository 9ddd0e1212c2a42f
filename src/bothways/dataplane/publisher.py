"""Brings every change of the database to the data plane: on request at once, else within a tenth of a second."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.applied import Applied
from bothways.dataplane.derived import Derived, Maps, both_snapshots, derive
from bothways.dataplane.fleet import Fleet
from bothways.dataplane.rollout import Knock, Rollout, nothing_wrong
from bothways.dataplane.saved import SavedSnapshot
from bothways.errors import BothwaysError, Unusable
from bothways.operations.closed_in_thread import closed_in_thread
from bothways.operations.closure import shut_endpoint
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.hub import Hub
from bothways.operations.rollout import keep_given
from bothways.operations.upkeep import lists_first, upkeep, witness
from bothways.xds.names import CLUSTER_TYPE, embedded_node
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.staging import HeldBack
from bothways.xds.state import HubState
from bothways.xds.withdrawn import QUIET

_log = logging.getLogger(__name__)

_LOOK = 0.1
_CLOCK = 30.0
_AGAIN = 1.0
_SETTLE = 10.0
_SEND = 1.0
_CONFIRM = 0.2
_REOPEN = "Find out what answered, and mend it; then run: bothways hub reopen"


def current_snapshot(hub: Hub) -> Snapshot:
    """Return the snapshot of what is stored now."""
    return build_snapshot(hub_state(hub))


class Publisher:
    """Publishes a snapshot whenever what is stored, or the time of day, asks for one; and does what the clock asks.

    `follow` is given the state of each round, for what this process serves beside Envoy. `plane` is where it comes
    from, if it was asked already. What the Envoy beside the hub has confirmed is saved, for a start without the hub.
    `held` tells whether what the clock asks is to be done here. `fleet` knows the nodes of all. The canary can `knock`.
    """

    def __init__(
        self,
        hub: Hub,
        ads: AdsServer,
        follow: Callable[[HubState], None] = lambda _: None,
        plane: DataPlane | None = None,
        saved: SavedSnapshot | None = None,
        held: Callable[[], bool] = lambda: True,
        fleet: Fleet | None = None,
        knock: Knock = nothing_wrong,
    ) -> None:
        self._held = held
        self._fleet = fleet or Fleet(hub, ads)
        self._hub = hub
        self._plane = plane or DataPlane(hub)
        self._ads = ads
        self._follow = follow
        self._saved = saved
        own, first, elsewhere = embedded_node(hub.environment.value), hub.settings.nodes_first, self._fleet.elsewhere
        staged = hub.settings.nodes_staged
        self._rollout = Rollout(hub, ads, own, knock, staged=staged, first=first, elsewhere=elsewhere)
        self._saved_version = self._unsaved = ""
        self._save_due = 0.0
        self.last_push_milliseconds: float | None = None
        self._one_at_a_time = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._failure = ""
        self._shut = self._unrecorded = self._unwitnessed = ""
        self._neglected: tuple[str, ...] = ()
        self._upkeep_due = hub.now()
        self._maps, self._maps_due, self._came = Maps(), 0.0, 0

    @property
    def problem(self) -> str:
        """What failed in the last round, and why the endpoint is shut, in sentences; empty if all is well."""
        shut = f"the endpoint is shut, for a stranger was let in: {self._shut}. {_REOPEN}" if self._shut else ""
        held = str(self._rollout.held or "")
        # What was not done here a while ago, whoever has the turn may have done.
        old = self._hub.now() >= self._upkeep_due and not self._held()
        found = (shut, held, self._failure, self._unsaved, *(() if old else self._neglected), self._unwitnessed)
        return "; ".join(each for each in (*found, *self._plane.problems, *self._ads.unpacked) if each)

    def serves(self, cluster: str) -> bool:
        """Tell whether the routes of what is published lead to this cluster of a customer."""
        return cluster in self._rollout.passing.base.of(CLUSTER_TYPE)

    @property
    def held_back(self) -> dict[str, str] | None:
        """What one node was given first and no other is given, and why; None if nothing is held back."""
        return self._rollout.held.document() if self._rollout.held else None

    async def run(self) -> None:
        """Look for changes until this task is cancelled; what fails is told, and tried again a second later."""
        while True:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it was: a hub that publishes no change is no hub
                self._failed(error)
                # An endpoint that was shut stays shut, also if its database and then its hub are gone.
                await self._save()
                self._let_go()
            await asyncio.sleep(_AGAIN)

    async def shut(self, state: HubState, reason: str) -> None:
        """Shut the endpoint: first in the data plane, by what is in memory as `state`, and then on record.

        A database that cannot be written keeps nothing open: until it is on record, nothing else is published.
        """
        self._unrecorded = reason
        shut = replace(state, shut=reason, closures=state.closures + 1)
        everyone, snapshots, self._maps = await asyncio.to_thread(both_snapshots, self._rollout.good, shut)
        self._take(shut, everyone, snapshots, self._rollout.held)
        await self.apply()

    async def apply(self, *, saved: bool = True) -> Applied:
        """Publish what is stored now and what follows from it, and wait until all nodes serve it, at most ten seconds.

        If `saved`, it is that too when this returns: a revocation somebody was told of survives every restart. What
        cannot be published is not in force; the reason is in `problem`.
        """
        started = time.perf_counter()
        try:
            await self._round(asked=True)
            async with asyncio.timeout(_SETTLE):
                in_force = await self._ads.settled()
                in_force = await self._fleet.in_force(self._fleet.change) and in_force
            if saved:
                await self._save()
        except TimeoutError:
            in_force = False
        except Exception as error:  # noqa: BLE001 - as in `run`
            self._failed(error)
            in_force = False
        milliseconds = round(1000 * (time.perf_counter() - started), 1)
        if in_force:
            self.last_push_milliseconds = milliseconds
        return Applied(self._ads.snapshot.version, in_force, milliseconds, self._fleet.away())

    async def send_for_probe(self, tsp_id: str) -> bool:
        """Have every node called by a probe of this customer know its server; return False if there is nobody to call.

        Nodes have it a moment later, those of other control planes some two seconds later, and for a minute.
        """
        if not self._rollout.probe({tsp_id}):
            await self._round(asked=True)
            if not self._rollout.probe({tsp_id}):
                return False
        self._fleet.probe(tsp_id)
        return True

    async def _look(self) -> None:
        async with closed_in_thread(self._hub.database.changes()) as changes:
            seen, published = None, 0.0
            while True:
                # Certificates and anchors end by the clock alone.
                by_the_clock = time.monotonic() - published > _CLOCK or self._is_due()
                if (value := await asyncio.to_thread(changes.value)) != seen or by_the_clock:
                    await self._round()
                    self._failure = ""
                    seen, published = value, time.monotonic()
                    if self._saved and self._saved.outdated():
                        self._saved_version = ""
                elif self._maps_are_due():
                    async with self._one_at_a_time:
                        await self._publish()
                if time.monotonic() > self._save_due:
                    await self._save()
                self._let_go()
                await asyncio.sleep(_LOOK)

    def _let_go(self) -> None:
        self._rollout.let_go(self._fleet.probed_elsewhere())

    async def _save(self) -> None:
        """Save the snapshot that is published, once the Envoy beside the hub has confirmed it."""
        embedded = embedded_node(self._hub.environment.value)
        async with self._saving:
            snapshot = self._rollout.passing.base
            if self._saved is None or snapshot.version == self._saved_version:
                return
            settled = [each["settled"] for each in self._ads.nodes() if each["node"] == embedded]
            if not settled or not all(settled):
                return
            try:
                whole = await asyncio.to_thread(self._saved.save, snapshot, self._hub.now())
                self._saved_version, self._unsaved = snapshot.version if whole else "", ""
            except Unusable as error:
                # In force all the same; what it costs is told.
                told = f"an Envoy that starts without the hub would serve an older state: {error}"
                if told != self._unsaved:
                    _log.error("%s", told)
                self._unsaved, self._save_due = told, time.monotonic() + _AGAIN

    async def _round(self, *, asked: bool = False) -> None:
        """Publish what is stored, do what is due by the clock, and publish what that changed.

        Of several control planes one does it, and the one that was `asked` for a change. One round at a time, as a
        whole: whoever waits for theirs finds published whatever another one did.
        """
        async with self._one_at_a_time:
            await self._publish()
            # What follows takes the interpreter from the one who sends: first the revocation, its list, then the rest.
            await _at_most(_SEND, self._ads.sent())
            if asked or self._held():
                if await self._list():
                    await self._publish()
                if self._maps.withdrawn and self._ads.names():
                    await _at_most(_CONFIRM, self._ads.settled())
                if await self._keep_up():
                    await self._publish()
            else:
                self._unwitnessed = await asyncio.to_thread(witness, self._hub)

    def _is_due(self) -> bool:
        """Tell whether upkeep is due here: what another one did not come to do, too, once the turn is ours."""
        return self._held() and self._hub.now() >= self._upkeep_due

    def _maps_are_due(self) -> bool:
        """Tell whether the maps are to follow what was withdrawn ahead of them; a node that came may wait for them."""
        return bool(self._maps.withdrawn) and (time.monotonic() > self._maps_due or self._ads.came != self._came)

    async def _list(self) -> bool:
        """Publish the revocation lists that are due, and tell whether there are any."""
        done = await asyncio.to_thread(lists_first, self._hub)
        for each in done:
            _log.info("%s", each)
        return bool(done)

    async def _keep_up(self) -> bool:
        """Do what is due by the clock, and tell whether that changed anything."""
        kept = await asyncio.to_thread(upkeep, self._hub)
        for done in kept.done:
            _log.info("%s", done)
        for problem in kept.problems:
            if problem not in self._neglected:
                _log.error("%s", problem)
        self._neglected, self._upkeep_due, self._unwitnessed = kept.problems, kept.next_due, ""
        return bool(kept.done)

    async def _publish(self) -> None:
        while True:
            good = self._rollout.good
            maps = Maps() if self._maps_are_due() else self._maps
            found = await asyncio.to_thread(self._derived, good, maps)
            # What a node was given first may have passed meanwhile: then nothing is to be taken back.
            if self._rollout.good is good:
                break
        if found.maps.withdrawn != self._maps.withdrawn:
            self._maps_due, self._came = time.monotonic() + QUIET, self._ads.came
        self._maps = found.maps
        self._take(found.state, found.everyone, found.snapshots, found.record.held)
        self._fleet.change = found.change
        if self._rollout.good:
            await asyncio.to_thread(keep_given, self._hub, self._rollout.good, found.state, found.record)

    def _derived(self, known: HubState | None, maps: Maps) -> Derived:
        if self._unrecorded:
            shut_endpoint(self._hub, self._unrecorded)
            self._unrecorded = ""
        return derive(self._hub, self._plane, known, maps, staged=self._rollout.staged)

    def _take(
        self, state: HubState, everyone: HubState, snapshots: tuple[Snapshot, Snapshot], held: HeldBack | None
    ) -> None:
        if self._unrecorded and not state.shut:
            # Read before the endpoint was shut.
            return
        if state.shut and not self._shut:
            _log.critical("the endpoint is shut, for a stranger was let in: %s", state.shut)
        self._shut = state.shut
        if self._rollout.take(state, everyone, snapshots, time.monotonic(), held):
            _log.info("published version %s", snapshots[0].version)
        self._ads.follow(state)
        self._follow(state)

    def _failed(self, error: Exception) -> None:
        told = str(error) if isinstance(error, BothwaysError) else f"{type(error).__name__}: {error}"
        if told != self._failure:
            # Once: a log that repeats itself is read by nobody.
            _log.error("changes cannot be published, the data plane keeps what it has: %s", told)
        self._failure = told


async def _at_most(seconds: float, done: Awaitable[object]) -> None:
    """Wait for it, and go on without it after so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done
