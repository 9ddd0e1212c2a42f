"""Brings every change of the database to the data plane: on request at once, else within a tenth of a second."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bothways.dataplane.ads import AdsServer
from bothways.errors import BothwaysError
from bothways.operations.certificates import finish_certificates
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import DATABASE_FILE, Hub
from bothways.store.database import ChangeCounter
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import HubState

_log = logging.getLogger(__name__)

_LOOK = 0.1
_CLOCK = 30.0
_AGAIN = 1.0
_SETTLE = 10.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a change: the version, whether every node serves it or a later one, and the milliseconds it took."""

    version: str
    in_force: bool
    milliseconds: float

    def document(self) -> dict[str, object]:
        """Return it as the JSON object that the control socket answers."""
        return {"version": self.version, "in_force": self.in_force, "milliseconds": self.milliseconds}


def current_snapshot(hub: Hub) -> Snapshot:
    """Return the snapshot of what is stored now."""
    return build_snapshot(hub_state(hub))


class Publisher:
    """Publishes a new snapshot whenever what is stored, or the time of day, asks for one.

    `follow` is given the state of each round, for what this process serves beside Envoy. `problem` says in a sentence
    what failed, and is empty again after a round without failure.
    """

    def __init__(self, hub: Hub, ads: AdsServer, follow: Callable[[HubState], None] = lambda _: None) -> None:
        self.problem = ""
        self._hub = hub
        self._ads = ads
        self._follow = follow
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Look for changes until this task is cancelled; what fails is told, and tried again a second later."""
        while True:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it was: a hub that publishes no change is no hub
                self._failed(error)
            await asyncio.sleep(_AGAIN)

    async def apply(self) -> Applied:
        """Publish what is stored now, and wait until all nodes serve it, at most ten seconds.

        What cannot be published is not in force; the reason is in `problem`.
        """
        started = time.perf_counter()
        try:
            await self._publish()
            async with asyncio.timeout(_SETTLE):
                in_force = await self._ads.settled()
        except TimeoutError:
            in_force = False
        except Exception as error:  # noqa: BLE001 - as in `run`
            self._failed(error)
            in_force = False
        return Applied(self._ads.snapshot.version, in_force, round(1000 * (time.perf_counter() - started), 1))

    async def _look(self) -> None:
        with contextlib.closing(ChangeCounter(self._hub.directory / DATABASE_FILE)) as counter:
            seen, published = None, 0.0
            while True:
                # Certificates and anchors end by the clock alone.
                if (value := counter.value()) != seen or time.monotonic() - published > _CLOCK:
                    await self._round()
                    seen, published = value, time.monotonic()
                await asyncio.sleep(_LOOK)

    async def _round(self) -> None:
        await self._publish()
        # A command that was killed between approval and signature leaves a certificate that nobody else would finish.
        # What is signed here is a change of the database, and published in the next round.
        if finished := await asyncio.to_thread(finish_certificates, self._hub):
            _log.info("%d approved certificates waited for their signature, and have it now", finished)
        self.problem = ""

    async def _publish(self) -> None:
        async with self._one_at_a_time:
            state, snapshot = await asyncio.to_thread(self._derived)
            if snapshot.version != self._ads.snapshot.version:
                self._ads.publish(snapshot)
                _log.info("published version %s", snapshot.version)
            self._follow(state)

    def _derived(self) -> tuple[HubState, Snapshot]:
        state = hub_state(self._hub)
        return state, build_snapshot(state)

    def _failed(self, error: Exception) -> None:
        told = str(error) if isinstance(error, BothwaysError) else f"{type(error).__name__}: {error}"
        # Once, and not with every new try: a log that repeats itself is read by nobody.
        if told != self.problem:
            _log.error("changes cannot be published, the data plane keeps what it has: %s", told)
        self.problem = told
