"""A probe of a page tells each stage as it is over; one customer has one at a time."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.eventually import eventually_in_loop

from bothways.connectivity.evidence import DnsSeen, Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict
from bothways.operations import under_way
from bothways.operations.hub import Hub
from bothways.outbound.probe import Probe
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
        first, second = await probes.begin(hub, issuer, apply), await probes.begin(hub, issuer, apply)
        assert not first.over
        go.set()
        await asyncio.gather(*probes._tasks)
        third = await probes.begin(hub, issuer, apply)
        await asyncio.gather(*probes._tasks)
        assert third is not first
        assert probes.latest(hub, issuer) == third
        return first, second

    first, second = asyncio.run(both())
    assert first is second
    assert (first.stages, first.over, first.problem, len(applied)) == ([["dns", issuer]], True, "", 2)


def test_two_that_are_asked_for_at_once_are_one(hub: Hub, issuer: str) -> None:
    made: list[str] = []
    asked = threading.Event()

    def probe(_: Hub, tsp_id: str, **__: Any) -> None:
        made.append(tsp_id)
        # One that were over before the last one has asked would be another one.
        assert asked.wait(60)

    async def apply() -> None:
        return

    async def at_once() -> list[Run]:
        probes = Probes(probe)
        runs = await asyncio.gather(*(probes.begin(hub, issuer, apply) for _ in range(5)))
        asked.set()
        await asyncio.gather(*probes._tasks)
        return runs

    first, *others = asyncio.run(at_once())
    assert all(each is first for each in others)
    assert made == [issuer]


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
        run = await probes.begin(hub, issuer, apply)
        await asyncio.gather(*probes._tasks, return_exceptions=True)
        return run

    run = asyncio.run(once())
    assert (run.over, said in run.problem, "inside" in run.problem) == (True, True, False)


def test_another_control_plane_says_the_same_of_it_also_when_its_own_is_killed(
    shared_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def probe(_: Hub, tsp_id: str, say: Any) -> None:
        say("dns", tsp_id)
        go.wait(30)
        raise Conflict("the hub does not run.")

    async def apply() -> None:
        raise AssertionError

    async def test() -> None:
        here, there = Probes(probe), Probes(probe)
        run = await here.begin(shared_hub, "1", apply)
        await eventually_in_loop(lambda: there.latest(shared_hub, "1") == Run([["dns", "1"]]))
        assert await there.begin(shared_hub, "1", apply) == Run([["dns", "1"]])
        assert not there._tasks
        monkeypatch.setattr(under_way, "SILENT", timedelta(0))
        gone = there.latest(shared_hub, "1")
        assert gone
        assert (gone.over, "came to no end" in gone.problem) == (True, True)
        go.set()
        await asyncio.gather(*here._tasks)
        assert run.over
        assert there.latest(shared_hub, "1") == Run([["dns", "1"]], problem="the hub does not run.", over=True)

    asyncio.run(test())


@pytest.mark.parametrize(
    ("names", "over", "failed", "colours"),
    [
        ("dns tcp", 0, 0, "good good"),
        ("dns tcp call", 0, 1, "good bad bad"),
        ("dns tcp", 1, 0, "good bad"),
        ("dns call", 1, 0, "bad good"),
        ("dns tcp tls chain caller caller call", 1, 1, "good good good good still still bad"),
        ("dns tcp tls chain caller call call", 1, 0, "good good good good still good good"),
        ("", 1, 0, ""),
    ],
)
def test_the_stage_at_which_it_ended_is_not_shown_as_done(names: str, over: int, failed: int, colours: str) -> None:
    run = Run([[name, "seen"] for name in names.split()], over=bool(over), failed=bool(failed))
    assert [colour for _, _, colour in run.shown()] == colours.split()


def test_a_call_that_did_not_go_through_is_told_to_the_page(hub: Hub, issuer: str) -> None:
    fact = ProbeFact("bank.example:443", hub.now(), ok=False, seen="refused")

    async def apply() -> None:
        return

    async def once() -> Run:
        probes = Probes(lambda *_, **__: Probe(fact, (), Evidence(DnsSeen("bank.example"))))
        run = await probes.begin(hub, issuer, apply)
        await asyncio.gather(*probes._tasks)
        return run

    assert asyncio.run(once()).failed
