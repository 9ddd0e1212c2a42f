"""A probe of a page tells each stage as it is over; one customer has one at a time."""

import asyncio
import threading
from typing import Any

import pytest

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.web.pages.probing import Probes, Run


def test_the_stages_are_told_and_a_second_one_joins_the_first(hub: Hub, issuer: str) -> None:
    go, applied = threading.Event(), []

    def probe(_: Hub, tsp_id: str, say: Any) -> None:
        say("dns", tsp_id)
        go.wait(30)

    async def apply() -> None:
        applied.append(1)

    async def both() -> tuple[Run, Run]:
        probes = Probes(probe)
        first, second = probes.begin(hub, issuer, apply), probes.begin(hub, issuer, apply)
        assert not first.over
        go.set()
        await asyncio.gather(*probes._tasks)
        third = probes.begin(hub, issuer, apply)
        await asyncio.gather(*probes._tasks)
        assert probes.latest(issuer) is third is not first
        return first, second

    first, second = asyncio.run(both())
    assert first is second
    assert (first.stages, first.over, first.problem, len(applied)) == ([("dns", issuer)], True, "", 2)


@pytest.mark.parametrize(
    ("error", "said"), [(Conflict("the hub does not run."), "the hub does not run."), (RuntimeError("inside"), "log")]
)
def test_why_there_is_no_result_is_told(hub: Hub, issuer: str, error: Exception, said: str) -> None:
    def probe(*_: Any, **__: Any) -> None:
        raise error

    async def apply() -> None:
        raise AssertionError

    async def once() -> Run:
        probes = Probes(probe)
        run = probes.begin(hub, issuer, apply)
        await asyncio.gather(*probes._tasks, return_exceptions=True)
        return run

    run = asyncio.run(once())
    assert (run.over, said in run.problem, "inside" in run.problem) == (True, True, False)
