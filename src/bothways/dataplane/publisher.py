"""Brings every change of the database to the data plane: on request at once, else within a tenth of a second."""

import asyncio
import logging
import time
from dataclasses import dataclass

from bothways.dataplane.ads import AdsServer
from bothways.errors import BothwaysError
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import DATABASE_FILE, Hub
from bothways.store.database import ChangeCounter
from bothways.xds.snapshot import Snapshot, build_snapshot

_log = logging.getLogger(__name__)

_LOOK = 0.1
_CLOCK = 30.0
_SETTLE = 10.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a change: the version, whether every node serves it, and after how many milliseconds."""

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
    """Publishes a new snapshot whenever what is stored, or the time of day, asks for one."""

    def __init__(self, hub: Hub, ads: AdsServer) -> None:
        self._hub = hub
        self._ads = ads
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Look for changes until this task is cancelled."""
        counter = ChangeCounter(self._hub.directory / DATABASE_FILE)
        seen, looked = counter.value(), time.monotonic()
        while True:
            await asyncio.sleep(_LOOK)
            # Certificates and anchors end by the clock alone.
            if (value := counter.value()) != seen or time.monotonic() - looked > _CLOCK:
                seen, looked = value, time.monotonic()
                await self._publish()

    async def apply(self) -> Applied:
        """Publish what is stored now, and wait until all nodes serve it, at most ten seconds."""
        started = time.perf_counter()
        await self._publish()
        version = self._ads.snapshot.version
        try:
            async with asyncio.timeout(_SETTLE):
                in_force = await self._ads.settled(version)
        except TimeoutError:
            in_force = False
        return Applied(version, in_force, round(1000 * (time.perf_counter() - started), 1))

    async def _publish(self) -> None:
        async with self._one_at_a_time:
            try:
                snapshot = await asyncio.to_thread(current_snapshot, self._hub)
            except BothwaysError:
                _log.exception("the change cannot be published; the data plane keeps what it has")
                return
            if snapshot.version != self._ads.snapshot.version:
                self._ads.publish(snapshot)
                _log.info("published version %s", snapshot.version)
