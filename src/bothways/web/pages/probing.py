"""Probes that somebody asked for on a page, and how far each is: what came of it is on record elsewhere.

In memory, and where there are several control planes, told to all: any of them is asked how far it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field

from bothways.errors import BothwaysError
from bothways.operations.hub import Hub
from bothways.operations.under_way import Kind, said_of, tell, telling
from bothways.outbound.probe import Probe as Made
from bothways.outbound.probe import probe_customer
from bothways.texts.catalogue import worded

STAGES = ("dns", "tcp", "tls", "chain", "callers", "call")
_CALLER, _CALL = "caller", "call"
_AT_ONCE = 4
_KEPT = 1_000
_NO_END = worded("the probe came to no end; the reason is in the hub's log. Ask who runs the hub to look there.")

Probe = Callable[..., object]


@dataclass(slots=True)
class Run:
    """One probe under way, or over: the stages that were told so far, and why there is no result, if there is none.

    `failed`: there is one, and the call did not go through.
    """

    stages: list[list[str]] = field(default_factory=list)
    problem: str = ""
    over: bool = False
    failed: bool = False
    stages_most: int = len(STAGES)

    def shown(self) -> list[tuple[str, str, str]]:
        """Return each stage with its colour: what it ended at is bad; whom a server lets in, the findings judge."""
        looks = [name for name, _ in self.stages if name != _CALL]
        ended = len(looks) - 1 if (self.over or len(looks) < len(self.stages)) and _CALLER not in looks else -1
        return [(name, said, self._colour(name, row == ended)) for row, (name, said) in enumerate(self.stages)]

    def _colour(self, name: str, ended: bool) -> str:  # noqa: FBT001 - of one caller, just above
        if name == _CALL:
            return "bad" if self.failed else "good"
        return "bad" if ended else "still" if name == _CALLER else "good"


class Probes:
    """The probes of pages: one at a time of each customer, a few at a time of all."""

    def __init__(self, probe: Probe = probe_customer) -> None:
        self._probe = probe
        self._runs: dict[str, Run] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def latest(self, hub: Hub, tsp_id: str) -> Run | None:
        """Return the last probe that was asked for: since the hub was started, or lately at any control plane."""
        own = self._runs.get(tsp_id)
        said = None if own and not own.over else said_of(hub, Kind.PAGE_PROBE, tsp_id)
        if said is None:
            return own
        run = Run(**said.document)
        if said.silent and not run.over:
            run.over, run.problem = True, _NO_END
        return run

    async def begin(self, hub: Hub, tsp_id: str, apply: Callable[[], Awaitable[object]]) -> Run:
        """Begin a probe, and bring into force what it opens; one that is under way is the same one."""
        own = self._runs.get(tsp_id)
        known = await asyncio.to_thread(self.latest, hub, tsp_id)
        # Somebody may have begun one here meanwhile: who clicks twice has one.
        if (latest := self._runs.get(tsp_id)) is not own:
            known = latest
        if known and not known.over:
            return known
        self._runs.pop(tsp_id, None)
        run = self._runs[tsp_id] = Run()
        try:
            # Before this is answered: the next question may be put to another control plane.
            await asyncio.to_thread(tell, hub, Kind.PAGE_PROBE, tsp_id, asdict(run))
        except BaseException:
            del self._runs[tsp_id]
            raise
        for oldest in [each for each, past in self._runs.items() if past.over][: len(self._runs) - _KEPT]:
            del self._runs[oldest]
        task = asyncio.create_task(self._work(hub, tsp_id, run, apply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _work(self, hub: Hub, tsp_id: str, run: Run, apply: Callable[[], Awaitable[object]]) -> None:
        async with telling(hub, Kind.PAGE_PROBE, tsp_id, lambda: asdict(run)):
            await self._made(hub, tsp_id, run, apply)

    async def _made(self, hub: Hub, tsp_id: str, run: Run, apply: Callable[[], Awaitable[object]]) -> None:
        def say(stage: str, said: str) -> None:
            run.stages.append([stage, said])

        try:
            async with self._turn:
                made = await asyncio.to_thread(self._probe, hub, tsp_id, say=say)
            run.failed = isinstance(made, Made) and not made.fact.ok
            await apply()
        except BothwaysError as error:
            run.problem = error.said
        except Exception:
            run.problem = _NO_END
            raise
        finally:
            run.over = True
