"""The probes that nobody asks for, a part of a running hub: soon after a server or chain was registered, and daily."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bothways.connectivity.probing import probe_due
from bothways.operations.hub import Hub
from bothways.operations.idle import STALE_MOST, let_go_stale
from bothways.operations.upkeep import ACTOR
from bothways.outbound.callers import KeptCallers
from bothways.outbound.probe import probe_customer
from bothways.store import endpoints
from bothways.store.endpoints import Registered

_log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""How often it looks who is due."""

AGAIN = timedelta(minutes=1)
"""When a probe that could not be made is tried again."""

AT_ONCE = 4
"""Probes that run at the same time."""


class Schedule:
    """Probes who is due, a few at a time. `apply` brings what is stored into force, so that Envoy knows the server.

    `held` tells whether it is for this control plane to do it.
    """

    def __init__(
        self, hub: Hub, apply: Callable[[], Awaitable[object]], held: Callable[[], bool] = lambda: True
    ) -> None:
        self._held = held
        self._hub = replace(hub, actor=ACTOR)
        self._apply = apply
        self._callers = KeptCallers(self._hub)
        self._problem = ""
        self._again: dict[str, datetime] = {}

    async def run(self) -> None:
        """Probe until this task is cancelled; what fails is told once, and tried again. Do nothing if that is set."""
        if not self._hub.settings.scheduled_probes:
            # A part of the hub that ended would end the hub.
            await asyncio.Event().wait()
        while True:
            try:
                if self._held():
                    await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it was: the hub goes on without probes
                self._tell(f"probes cannot be made: {type(error).__name__}: {error}")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """Probe everybody who is due, and return how many there were."""
        due = await asyncio.to_thread(self.due)
        if any(each.last is None or each.last < each.since for each in due):
            await self._apply()
        waiting = iter(due)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(due))):
                group.create_task(self._work(waiting))
        return len(due)

    def due(self) -> list[Registered]:
        """Return who is to be probed now, without those whose probe could not be made in the last minute."""
        now = self._hub.now()
        with self._hub.read() as connection:
            found = endpoints.registered(connection, now)
        due = [each for each in found if probe_due(each.tsp_id, each.since, each.last, now)]
        return [each for each in due if self._again.get(each.tsp_id, now) <= now]

    async def _work(self, waiting: Iterator[Registered]) -> None:
        for each in waiting:
            try:
                callers = await self._callers.current()
                probe = await asyncio.to_thread(probe_customer, self._hub, each.tsp_id, callers)
                found = ", ".join(finding.id for finding in probe.findings) or "nothing to mend"
                _log.info("probe of %s: %s (%s)", each.tsp_id, "ok" if probe.fact.ok else "failed", found)
                if bool(probe.evidence.dns.failure) and await asyncio.to_thread(let_go_stale, self._hub, each.tsp_id):
                    _log.warning("DNS fails for %s for %s days: it is called no more", each.tsp_id, STALE_MOST.days)
            except Exception as error:  # noqa: BLE001 - whatever one server can do to its probe, the others are probed
                self._again[each.tsp_id] = self._hub.now() + AGAIN
                self._tell(f"the probe of {each.tsp_id} was not made: {type(error).__name__}: {error}")
            else:
                self._again.pop(each.tsp_id, None)

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            _log.warning("%s", problem)
        self._problem = problem
