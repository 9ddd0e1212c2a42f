"""Probes that customers ask for, over the endpoint: one at a time for each, a few at once, and not too often.

Where there are several control planes, a node asks each in turn: each says of a probe what the one says that makes it.
"""

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
from bothways.operations.under_way import Kind, said_of, tell, telling
from bothways.outbound.callers import KeptCallers
from bothways.outbound.probe import probe_customer, probe_target
from bothways.store.chains import ChainState

_log = logging.getLogger(__name__)

APART = timedelta(seconds=15)
"""Between the beginnings of two probes that one customer asks for."""

AT_ONCE = 4
"""Probes that were asked for and run at the same time; the others wait."""

_REMEMBERED = 10_000
_NOT_MADE = "the hub could not make the probe; its operator finds the reason in the hub's log"


@dataclass(frozen=True, slots=True)
class Asked:
    """A probe that a customer asked for: when, and what kept it from being made, if anything did."""

    at: datetime
    problem: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return not self.done.is_set()

    def document(self) -> dict[str, Any]:
        """Return what the other control planes are told of it."""
        return {"at": self.at.isoformat(), "problem": self.problem, "over": not self.running}


class AskedProbes:
    """What customers asked for, at all control planes. `apply` brings what is stored into force: Envoy knows all."""

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
        now, own = self._hub.now(), self._asked.get(tsp_id)
        asked = await asyncio.to_thread(self._last, tsp_id)
        if asked and asked.running:
            return 0
        if asked and now - asked.at < APART:
            return max(1, round((APART - (now - asked.at)).total_seconds()))
        await asyncio.to_thread(probe_target, self._hub, tsp_id)
        if self._asked.get(tsp_id) is not own:
            return 0
        self._forget(now)
        asked = self._asked[tsp_id] = Asked(now)
        try:
            # Before this is answered: the next question may be put to another control plane.
            await asyncio.to_thread(tell, self._hub, Kind.ASKED_PROBE, tsp_id, asked.document())
        except BaseException:
            # Also of a caller that has left: what is never begun would never be over.
            del self._asked[tsp_id]
            raise
        task = asyncio.create_task(self._probe(tsp_id, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return 0

    async def told(self, tsp_id: str) -> dict[str, Any]:
        """Return what the customer may know: its server, its endorsed chains, the last probe, and if one runs."""
        # In this order: one that ends in between counts as running still, and not as over without its result.
        asked = await asyncio.to_thread(self._last, tsp_id)
        running, problem = (asked.running, asked.problem or None) if asked else (False, None)
        return {"running": running, "problem": problem} | await asyncio.to_thread(self._known, tsp_id)

    def _last(self, tsp_id: str) -> Asked | None:
        """Return what was asked for last, here or elsewhere; what a control plane that is gone had begun is over."""
        own = self._asked.get(tsp_id)
        if own and own.running:
            return Asked(own.at)
        # It may have ended just now, and then is another one, with its problem.
        own, said = self._asked.get(tsp_id), said_of(self._hub, Kind.ASKED_PROBE, tsp_id)
        if said is None:
            return own
        at, over = datetime.fromisoformat(said.document["at"]), said.document["over"]
        if own and own.at >= at:
            return own
        asked = Asked(at, said.document["problem"] if over or not said.silent else _NOT_MADE)
        if over or said.silent:
            asked.done.set()
        return asked

    def _known(self, tsp_id: str) -> dict[str, Any]:
        try:
            url = show_endpoint(self._hub, tsp_id).url
        except NotFound:
            url = None
        chains = [each.pem for each in list_chains(self._hub, tsp_id) if each.state is ChainState.ENDORSED]
        probes = list_probes(self._hub, tsp_id)
        return {"endpoint": url, "chains": chains, "probe": probes[0].document() if probes else None}

    async def _probe(self, tsp_id: str, asked: Asked) -> None:
        async with telling(self._hub, Kind.ASKED_PROBE, tsp_id, lambda: self._asked[tsp_id].document()):  # noqa: PLW0108 - another one, once it has ended
            await self._made(tsp_id, asked)

    async def _made(self, tsp_id: str, asked: Asked) -> None:
        problem = _NOT_MADE
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
