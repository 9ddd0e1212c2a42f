"""Approvals of many requests that somebody began on a page, and how far each has come: kept and told as the probes."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bothways.errors import BothwaysError, NotFound, Proposed
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_all
from bothways.operations.under_way import Kind, said_of, tell, telling
from bothways.texts.catalogue import worded

_KEPT = 20
_SHOWN = 200
_NO_END = worded("the rest was not approved; the reason is in the hub's log. Look there, and begin again.")


@dataclass(slots=True)
class Job:
    """One approval of many, under way or over: what became of the requests so far, and of the job as a whole.

    `failures` has the first ones alone, with the reason: all is told twice a second, however many there are.
    """

    by: str
    total: int
    done: int = 0
    failed: int = 0
    failures: list[Sequence[Any]] = field(default_factory=list)
    proposed: int = 0
    problem: str = ""
    over: bool = False
    in_force: bool = False

    @property
    def approved(self) -> int:
        """How many were approved so far."""
        return self.done - self.failed - self.proposed


class Approvals:
    """The approvals of pages: one at a time, for each takes the signer for itself anyway."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, hub: Hub, name: str) -> Job:
        """Return an approval, begun at whichever control plane. Raises `NotFound`."""
        if name in self._jobs:
            return self._jobs[name]
        if (said := said_of(hub, Kind.APPROVALS, name)) is None:
            raise NotFound("there is no such approval under way. What was approved stands in the audit.")
        job = Job(**said.document)
        if said.silent and not job.over:
            job.over, job.problem = True, _NO_END
        return job

    async def begin(
        self, hub: Hub, numbers: Sequence[int], apply: Callable[[], Awaitable[str]], *, strict: bool
    ) -> str:
        """Begin to approve requests in the name of the hub's actor; return the name of the job."""
        for oldest in [each for each, past in self._jobs.items() if past.over][:-_KEPT]:
            del self._jobs[oldest]
        name, job = secrets.token_urlsafe(9), Job(hub.actor, len(numbers))
        # Before this is answered: the next question may be put to another control plane.
        await asyncio.to_thread(tell, hub, Kind.APPROVALS, name, asdict(job))
        self._jobs[name] = job

        async def told() -> None:
            async with telling(hub, Kind.APPROVALS, name, lambda: asdict(job)):
                await self._work(hub, numbers, job, apply, strict=strict)

        task = asyncio.create_task(told())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return name

    async def _work(
        self, hub: Hub, numbers: Sequence[int], job: Job, apply: Callable[[], Awaitable[str]], *, strict: bool
    ) -> None:
        def work() -> None:
            for each in approve_all(hub, numbers, strict=strict):
                if isinstance(each.outcome, Proposed):
                    job.proposed += 1
                elif isinstance(each.outcome, BothwaysError):
                    job.failed += 1
                    if len(job.failures) < _SHOWN:
                        job.failures.append((each.number, str(each.outcome)))
                job.done += 1

        try:
            async with self._turn:
                await asyncio.to_thread(work)
            job.in_force = await apply() == "in-force"
        except BothwaysError as error:
            job.problem = error.said
        except Exception:
            job.problem = _NO_END
            raise
        finally:
            job.over = True
