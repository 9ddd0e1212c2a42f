"""Probes that customers ask for, over the endpoint: one at a time for each, a few at once, and not too often."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bothways.errors import BothwaysError, NotFound
from bothways.operations.chains import list_chains
from bothways.operations.endpoints import list_probes, show_endpoint
from bothways.operations.hub import Hub
from bothways.outbound.callers import KeptCallers
from bothways.outbound.probe import probe_customer, probe_target
from bothways.store.chains import ChainState

_log = logging.getLogger(__name__)

APART = timedelta(seconds=15)
"""Between the beginnings of two probes that one customer asks for."""

AT_ONCE = 4
"""Probes that were asked for and run at the same time; the others wait."""

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe that a customer asked for: when, and what kept it from being made, if anything did."""

    at: datetime
    problem: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)


class AskedProbes:
    """What customers asked for, in this process. `apply` brings what is stored into force, so that Envoy knows all."""

    def __init__(self, hub: Hub, apply: Callable[[], Awaitable[object]]) -> None:
        self._hub, self._apply = hub, apply
        self._callers = KeptCallers(hub)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._asked: dict[str, Asked] = {}
        # The loop itself holds tasks by weak references only.
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, tsp_id: str) -> int:
        """Begin a probe of the customer's server, if none is under way; return 0, or in how many seconds to ask again.

        Raises `NotFound` without a server, `Conflict` without an endorsed chain.
        """
        now = self._hub.now()
        asked = self._asked.get(tsp_id)
        if asked and not asked.done.is_set():
            return 0
        if asked and now - asked.at < APART:
            return max(1, round((APART - (now - asked.at)).total_seconds()))
        await asyncio.to_thread(probe_target, self._hub, tsp_id)
        if self._asked.get(tsp_id) is not asked:
            return 0
        self._forget(now)
        self._asked[tsp_id] = Asked(now)
        task = asyncio.create_task(self._probe(tsp_id, self._asked[tsp_id]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return 0

    async def told(self, tsp_id: str) -> dict[str, Any]:
        """Return what the customer may know: its server, its endorsed chains, the last probe, and if one runs."""
        known = await asyncio.to_thread(self._known, tsp_id)
        asked = self._asked.get(tsp_id)
        running = asked is not None and not asked.done.is_set()
        return {"running": running, "problem": asked.problem or None if asked else None} | known

    def _known(self, tsp_id: str) -> dict[str, Any]:
        try:
            url = show_endpoint(self._hub, tsp_id).url
        except NotFound:
            url = None
        chains = [each.pem for each in list_chains(self._hub, tsp_id) if each.state is ChainState.ENDORSED]
        probes = list_probes(self._hub, tsp_id)
        return {"endpoint": url, "chains": chains, "probe": probes[0].document() if probes else None}

    async def _probe(self, tsp_id: str, asked: Asked) -> None:
        problem = "the hub could not make the probe; its operator finds the reason in the hub's log"
        try:
            async with self._turn:
                await self._apply()
                hub = replace(self._hub, actor=tsp_id)
                await asyncio.to_thread(probe_customer, hub, tsp_id, await self._callers.current())
            problem = ""
        except BothwaysError as error:
            # Its words may name the hub's own files, which are nobody's business elsewhere.
            _log.warning("the probe that %s asked for was not made: %s", tsp_id, error)
        except Exception:  # noqa: BLE001 - whatever it was: the hub goes on, and so do the others' probes
            _log.exception("the probe that %s asked for failed", tsp_id)
        finally:
            self._asked[tsp_id] = replace(asked, problem=problem)
            asked.done.set()

    def _forget(self, now: datetime) -> None:
        if len(self._asked) >= _REMEMBERED:
            recent = {tsp_id: each for tsp_id, each in self._asked.items() if now - each.at < APART}
            self._asked = recent | {tsp_id: each for tsp_id, each in self._asked.items() if not each.done.is_set()}
