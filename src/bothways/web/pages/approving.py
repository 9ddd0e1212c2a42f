"""Approvals of many requests that somebody began on a page, and how far each has come. In memory, as the probes are."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bothways.errors import BothwaysError, NotFound, Proposed
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_all
from bothways.texts.catalogue import worded

_KEPT = 20


@dataclass(slots=True)
class Job:
    """One approval of many, under way or over: what became of each request so far, and of the job as a whole."""

    by: str
    total: int
    outcomes: list[int] = field(default_factory=list)
    failures: list[tuple[int, str]] = field(default_factory=list)
    proposed: int = 0
    problem: str = ""
    over: bool = False
    in_force: bool = False

    @property
    def approved(self) -> int:
        """How many were approved so far."""
        return len(self.outcomes) - len(self.failures) - self.proposed


class Approvals:
    """The approvals of pages: one at a time, for each takes the signer for itself anyway."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, name: str) -> Job:
        """Return an approval. Raises `NotFound`."""
        if name not in self._jobs:
            raise NotFound("there is no such approval under way. What was approved stands in the audit.")
        return self._jobs[name]

    def begin(self, hub: Hub, numbers: Sequence[int], apply: Callable[[], Awaitable[str]], *, strict: bool) -> str:
        """Begin to approve requests in the name of the hub's actor; return the name of the job."""
        for oldest in [each for each, past in self._jobs.items() if past.over][:-_KEPT]:
            del self._jobs[oldest]
        name = secrets.token_urlsafe(9)
        self._jobs[name] = job = Job(hub.actor, len(numbers))
        task = asyncio.create_task(self._work(hub, numbers, job, apply, strict=strict))
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
                    job.failures.append((each.number, str(each.outcome)))
                job.outcomes.append(each.number)

        try:
            async with self._turn:
                await asyncio.to_thread(work)
            job.in_force = await apply() == "in-force"
        except BothwaysError as error:
            job.problem = error.said
        except Exception:
            job.problem = worded(
                "the rest was not approved; the reason is in the hub's log. Look there, and begin again."
            )
            raise
        finally:
            job.over = True
