"""The probes that nobody asks for, without a running Envoy: refused, and tried again. With one, in tests/wire."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bothways.connectivity.evidence import DnsSeen, Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import suspend_customer
from bothways.operations.endpoints import list_probes, record_probe, set_endpoint, show_endpoint
from bothways.operations.hub import Hub
from bothways.operations.idle import calls_seen
from bothways.outbound import schedule
from bothways.outbound.probe import Probe
from bothways.outbound.schedule import AGAIN, Schedule
from bothways.pki.chain import certificate_pem
from bothways.store import customers


@pytest.fixture
def registered(hub: Hub, issuer: str, make_ca: Callable[..., Any]) -> str:
    set_endpoint(hub, issuer, "https://bank.localhost:1")
    endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id)
    return issuer


def looked(hub: Hub, applied: list[int]) -> int:
    async def apply() -> None:
        applied.append(1)

    return asyncio.run(Schedule(hub, apply).look())


@pytest.mark.usefixtures("registered")
def test_while_envoy_is_away_who_is_due_stays_due(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    clock = [hub.now()]
    schedule = Schedule(replace(hub, now=lambda: clock[0]), lambda: asyncio.sleep(0))

    async def looks() -> list[int]:
        first, second = await schedule.look(), await schedule.look()
        clock[0] += AGAIN
        return [first, second, await schedule.look()]

    # Not at once: whoever cannot be probed must not keep the others waiting.
    assert asyncio.run(looks()) == [1, 0, 1]
    assert "the probe of 12345678 was not made: Conflict: the hub cannot make calls: nobody answers at" in caplog.text


@pytest.mark.usefixtures("registered")
def test_before_a_server_that_is_new_is_probed_envoy_is_told(hub: Hub) -> None:
    applied: list[int] = []
    assert (looked(hub, applied), applied) == (1, [1])


def test_who_is_suspended_or_has_nothing_to_probe_is_never_due(hub: Hub, registered: str) -> None:
    suspend_customer(hub, registered, "tested")
    applied: list[int] = []
    assert (looked(hub, applied), applied) == (0, [])


def test_a_probe_that_finds_dns_failing_for_days_has_the_last_address_forgotten(
    hub: Hub, registered: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [hub.now()]

    def probed(at: Hub, tsp_id: str, _callers: object) -> Probe:
        # What a probe records and returns whose question to DNS is not answered, without waiting for that.
        failing = len(list_probes(at, tsp_id)) > 0
        evidence = Evidence(DnsSeen("bank.localhost", failure="SERVFAIL" if failing else ""))
        fact = ProbeFact(show_endpoint(at, tsp_id).address, at.now(), ok=not failing, seen="seen")
        record_probe(at, tsp_id, fact, (), evidence)
        return Probe(fact, (), evidence)

    monkeypatch.setattr(schedule, "probe_customer", probed)
    calls_seen(hub, [registered], [])
    told = []
    for _ in range(5):
        looked(replace(hub, now=lambda: clock[0]), [])
        told.append("it is called no more" in caplog.text)
        clock[0] += timedelta(days=1)
    assert told == [False, False, False, True, True]
    with hub.read() as connection:
        assert customers.times_let_go(connection, None) == {registered: 1}


def test_a_hub_that_is_not_to_probe_lives_on_and_does_nothing(hub: Hub) -> None:
    quiet = replace(hub, settings=replace(hub.settings, scheduled_probes=False))

    async def test() -> None:
        running = asyncio.create_task(Schedule(quiet, lambda: asyncio.sleep(0)).run())
        done, _ = await asyncio.wait({running}, timeout=0.05)
        assert done == set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(test())


@pytest.mark.usefixtures("registered")
def test_whoever_has_not_the_turn_probes_nobody_until_it_has(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "LOOK_SECONDS", 0.01)
    held, asked, applied = [False], asyncio.Event(), asyncio.Event()

    def is_held() -> bool:
        asked.set()
        return held[0]

    async def apply() -> None:
        applied.set()

    async def test() -> None:
        probing = replace(hub, settings=replace(hub.settings, scheduled_probes=True))
        running = asyncio.create_task(Schedule(probing, apply, is_held).run())
        for _ in range(3):
            asked.clear()
            await asyncio.wait_for(asked.wait(), 30)
        assert not applied.is_set()
        held[0] = True
        await asyncio.wait_for(applied.wait(), 30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(test())
