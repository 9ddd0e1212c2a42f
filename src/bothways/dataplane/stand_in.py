"""What stands in for the control plane while it is away: the last snapshot, served to Envoy as the hub serves it."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from bothways.dataplane.admin import answers
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.load_report import load_report_handler
from bothways.dataplane.saved import Saved, SavedSnapshot
from bothways.errors import Unusable
from bothways.xds.aged import without_ended_lists
from bothways.xds.snapshot import Snapshot

_log = logging.getLogger(__name__)

HUB_SOCKET, LINK = "ads.sock", "xds.sock"
"""Where the hub serves xDS, and the link to whoever serves it now: Envoy knows the link alone."""
_OWN_SOCKET = "standin.sock"
_LOOK = 0.2
_AGE = 60.0


class Source(StrEnum):
    """Where Envoy's configuration comes from now: the hub, the saved snapshot while it is away, or from nobody."""

    HUB = "hub"
    SNAPSHOT = "snapshot"
    NOBODY = "nobody"


class StandIn:
    """Serves the saved snapshot whenever the hub does not answer, and steps back when it does.

    An Envoy that has more than the snapshot keeps it: a revocation that the hub could publish and not save any more
    is not taken back. `changed` is called when the source changes. With `lists_may_end`, revocation lists are left in
    when they come to their end, and from then on Envoy refuses everybody; else they are taken out a day before.
    """

    def __init__(
        self,
        run_directory: Path,
        saved: SavedSnapshot,
        now: Callable[[], datetime],
        changed: Callable[[], None],
        *,
        lists_may_end: bool = False,
    ) -> None:
        self._hub, self._own, self._link = (run_directory / each for each in (HUB_SOCKET, _OWN_SOCKET, LINK))
        self._saved = saved
        self._now = now
        self._changed = changed
        self._lists_may_end = lists_may_end
        self._server: AdsServer | None = None
        self._held: Saved | None = None
        self._looked_at = 0.0
        self._failure = ""
        self.source = Source.NOBODY

    @property
    def held(self) -> Saved | None:
        """The snapshot that is served now, if the hub is away."""
        return self._held if self._server else None

    async def look(self) -> None:
        """Look once who is there, and have Envoy's link lead to them."""
        if answers(self._hub):
            await self._step_back()
        elif self._server is None:
            await self._step_in()
        elif self._held and time.monotonic() - self._looked_at > _AGE:
            self._looked_at = time.monotonic()
            self._server.publish(self._current(self._held.snapshot))

    async def run(self) -> None:
        """Look again and again until this task is cancelled; what fails is told, and tried again."""
        try:
            while True:
                await asyncio.sleep(_LOOK)
                try:
                    await self.look()
                except Exception as error:  # noqa: BLE001 - whatever it was: Envoy goes on serving what it has
                    self._failed(f"nobody can stand in for the hub: {type(error).__name__}: {error}")
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Stand in no longer, whoever is there."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()
        self._own.unlink(missing_ok=True)

    async def _step_back(self) -> None:
        self._point_to(self._hub.name)
        if self._server is not None:
            # Its stream ends, and Envoy comes back through the link, which leads to the hub by now.
            await self.stop()
        self._is(Source.HUB)

    async def _step_in(self) -> None:
        try:
            self._held = await asyncio.to_thread(self._saved.load)
        except Unusable as error:
            self._held = None
            self._failed(str(error))
        if self._held is None:
            self._point_to(self._hub.name)
            self._is(Source.NOBODY)
            return
        self._looked_at = time.monotonic()
        current = self._current(self._held.snapshot)
        # What Envoy counts meanwhile of calls, it reports to the hub.
        self._server = AdsServer(self._own, current, also=(partial(load_report_handler, None),), fills_only=True)
        await self._server.start()
        self._point_to(self._own.name)
        _log.warning("the hub does not answer; version %s of %s stands in", current.version, self._held.saved_at)
        self._is(Source.SNAPSHOT)

    def _current(self, snapshot: Snapshot) -> Snapshot:
        return snapshot if self._lists_may_end else without_ended_lists(snapshot, self._now())

    def _point_to(self, name: str) -> None:
        with contextlib.suppress(OSError):
            if str(self._link.readlink()) == name:
                return
        fresh = self._link.with_name(f".{self._link.name}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        os.replace(fresh, self._link)  # noqa: PTH105 - the atomic one, by its name

    def _failed(self, told: str) -> None:
        # Once, and not with every new look.
        if told != self._failure:
            _log.error("%s", told)
        self._failure = told

    def _is(self, source: Source) -> None:
        if source is not self.source:
            if source is Source.HUB:
                _log.info("the hub answers")
            self.source = source
            self._changed()
