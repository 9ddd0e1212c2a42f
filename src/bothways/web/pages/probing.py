"""Probes that somebody asked for on a page, and how far each is. In memory: what came of it is in the database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bothways.errors import BothwaysError
from bothways.operations.hub import Hub
from bothways.outbound.probe import probe_customer
from bothways.texts.catalogue import worded

STAGES = ("dns", "tcp", "tls", "chain", "callers", "call")
_AT_ONCE = 4
_KEPT = 1_000

Probe = Callable[..., object]


@dataclass(slots=True)
class Run:
    """One probe under way, or over: the stages that were told so far, and why there is no result, if there is none."""

    stages: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""
    over: bool = False
    stages_most: int = len(STAGES)


class Probes:
    """The probes of pages: one at a time of each customer, a few at a time of all."""

    def __init__(self, probe: Probe = probe_customer) -> None:
        self._probe = probe
        self._runs: dict[str, Run] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def latest(self, tsp_id: str) -> Run | None:
        """Return the last probe that was asked for, if there was one since the hub was started."""
        return self._runs.get(tsp_id)

    def begin(self, hub: Hub, tsp_id: str, apply: Callable[[], Awaitable[object]]) -> Run:
        """Begin a probe, and bring into force what it opens; one that is under way is the same one."""
        known = self._runs.pop(tsp_id, None)
        run = known if known and not known.over else Run()
        self._runs[tsp_id] = run
        if run is known:
            return run
        for oldest in [each for each, past in self._runs.items() if past.over][: len(self._runs) - _KEPT]:
            del self._runs[oldest]
        task = asyncio.create_task(self._work(hub, tsp_id, run, apply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _work(self, hub: Hub, tsp_id: str, run: Run, apply: Callable[[], Awaitable[object]]) -> None:
        def say(stage: str, said: str) -> None:
            run.stages.append((stage, said))

        try:
            async with self._turn:
                await asyncio.to_thread(self._probe, hub, tsp_id, say=say)
            await apply()
        except BothwaysError as error:
            run.problem = error.said
        except Exception:
            run.problem = worded(
                "the probe came to no end; the reason is in the hub's log. Ask who runs the hub to look there."
            )
            raise
        finally:
            run.over = True
