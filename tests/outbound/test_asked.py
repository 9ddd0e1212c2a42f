"""Probes that customers ask for, without a running Envoy: once, not too often, and told without the hub's inside."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict, NotFound
from bothways.operations import under_way
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.under_way import Kind, tell
from bothways.outbound.asked import APART, Asked, AskedProbes
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind


@pytest.fixture
def chain(make_ca: Callable[..., Any]) -> str:
    return certificate_pem(make_ca("Root")[1])


@pytest.fixture
def registered(hub: Hub, issuer: str, chain: str) -> str:
    return ready(hub, issuer, chain)


def ready(hub: Hub, tsp_id: str, chain: str) -> str:
    """Have a customer with a server and an endorsed chain."""
    set_endpoint(hub, tsp_id, "https://bank.localhost:1")
    endorse_chain(hub, submit_chain(hub, tsp_id, chain.encode()).id)
    return tsp_id


async def nothing() -> None:
    return None


async def finished(probes: AskedProbes, tsp_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        await probes._asked[tsp_id].done.wait()
    return await probes.told(tsp_id)


def test_what_is_asked_again_and_again_is_one_probe_and_soon_after_it_none(hub: Hub, registered: str) -> None:
    applied: list[int] = []
    clock = [hub.now()]

    async def apply() -> None:
        applied.append(1)
        await asyncio.sleep(0.05)

    async def test() -> None:
        probes = AskedProbes(replace(hub, now=lambda: clock[0]), apply)
        assert [await probes.ask(registered) for _ in range(5)] == [0] * 5
        assert (await probes.told(registered))["running"] is True
        await finished(probes, registered)
        clock[0] += timedelta(seconds=5)
        assert await probes.ask(registered) == APART.total_seconds() - 5
        assert len(applied) == 1
        clock[0] += APART
        assert await probes.ask(registered) == 0
        await finished(probes, registered)
        assert len(applied) == 2

    asyncio.run(test())


def test_another_control_plane_says_the_same_of_a_probe(shared_hub: Hub, chain: str) -> None:
    add_customer(shared_hub, "12345678", CustomerKind.ISSUER, "First Bank")
    registered = ready(shared_hub, "12345678", chain)
    go, clock = asyncio.Event(), [shared_hub.now()]

    async def test() -> None:
        here, there = [AskedProbes(replace(shared_hub, now=lambda: clock[0]), go.wait) for _ in range(2)]
        assert await here.ask(registered) == 0
        assert (await there.told(registered))["running"] is True
        assert await there.ask(registered) == 0
        assert not there._asked
        go.set()
        told = await finished(here, registered)
        await asyncio.gather(*here._tasks)
        assert (told["running"], "the hub could not make the probe" in told["problem"]) == (False, True)
        assert await there.told(registered) == told
        clock[0] += timedelta(seconds=5)
        assert await there.ask(registered) == APART.total_seconds() - 5

    asyncio.run(test())


def test_a_probe_of_a_control_plane_that_was_killed_is_over(
    shared_hub: Hub, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_customer(shared_hub, "12345678", CustomerKind.ISSUER, "First Bank")
    registered = ready(shared_hub, "12345678", chain)
    asked = Asked(shared_hub.now())
    tell(shared_hub, Kind.ASKED_PROBE, registered, asked.document())
    monkeypatch.setattr(under_way, "SILENT", timedelta(0))
    told = asyncio.run(AskedProbes(shared_hub, nothing).told(registered))
    assert (told["running"], "the hub could not make the probe" in told["problem"]) == (False, True)


def test_the_customer_is_told_its_server_its_chains_and_its_last_probe(hub: Hub, registered: str, chain: str) -> None:
    record_probe(hub, registered, ProbeFact("bank.localhost:1", hub.now(), ok=False, seen="refused"))
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Shop")
    probes = AskedProbes(hub, nothing)
    told = asyncio.run(probes.told(registered))
    assert (told["endpoint"], told["chains"], told["running"]) == ("https://bank.localhost:1", [chain], False)
    assert told["probe"]["seen"] == "refused"
    nobody: dict[str, Any] = {"running": False, "problem": None, "endpoint": None, "chains": [], "probe": None}
    assert asyncio.run(probes.told("87654321")) == nobody


def test_what_keeps_a_probe_from_being_made_is_told_without_the_inside_of_the_hub(
    hub: Hub, registered: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> dict[str, Any]:
        probes = AskedProbes(hub, nothing)
        await probes.ask(registered)
        return await finished(probes, registered)

    told = asyncio.run(test())
    assert "the hub could not make the probe" in told["problem"]
    assert str(hub.directory) not in str(told)
    assert "the hub cannot make calls: nobody answers at" in caplog.text


def test_without_a_server_or_a_chain_there_is_nothing_to_probe(hub: Hub, issuer: str) -> None:
    probes = AskedProbes(hub, nothing)
    with pytest.raises(NotFound, match="no endpoint"):
        asyncio.run(probes.ask(issuer))
    set_endpoint(hub, issuer, "https://bank.localhost:1")
    with pytest.raises(Conflict, match="no endorsed chain"):
        asyncio.run(probes.ask(issuer))
