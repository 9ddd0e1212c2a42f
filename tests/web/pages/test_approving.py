"""Many requests are approved with their progress, and what stands against one keeps no other from it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.eventually import eventually_in_loop

from bothways.errors import NotFound
from bothways.operations import under_way
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.requests import submit_request
from bothways.registry.customer import CustomerKind
from bothways.web.pages.approving import Approvals, Job


def test_each_outcome_is_told(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    stored = [submit_request(hub, issuer, make_csr()) for _ in range(3)]
    ban_keys(hub, [stored[1].request.spki_pin], "found in a repository")

    async def apply() -> str:
        return "in-force"

    async def once() -> Job:
        approvals = Approvals()
        job = approvals.find(hub, await approvals.begin(hub, [each.id for each in stored], apply, strict=True))
        await asyncio.gather(*approvals._tasks)
        return job

    job = asyncio.run(once())
    assert (job.done, job.failed) == (3, 1)
    assert (job.total, job.approved, job.over, job.in_force, job.problem) == (3, 2, True, True, "")
    [(number, why)] = job.failures
    assert (number, "found in a repository" in why or "banned" in why) == (stored[1].id, True)


def test_another_control_plane_tells_how_far_it_is_also_when_its_own_is_killed(
    shared_hub: Hub, make_csr: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_customer(shared_hub, "12345678", CustomerKind.ISSUER, "First Bank")
    stored, go = submit_request(shared_hub, "12345678", make_csr()), asyncio.Event()

    async def apply() -> str:
        await go.wait()
        return "in-force"

    async def test() -> None:
        here, there = Approvals(), Approvals()
        name = await here.begin(shared_hub, [stored.id, 99], apply, strict=True)
        assert there.find(shared_hub, name).total == 2
        await eventually_in_loop(lambda: there.find(shared_hub, name).done == 2)
        monkeypatch.setattr(under_way, "SILENT", timedelta(0))
        gone = there.find(shared_hub, name)
        assert (gone.over, "the rest was not approved" in gone.problem) == (True, True)
        go.set()
        await asyncio.gather(*here._tasks)
        job = there.find(shared_hub, name)
        assert (job.approved, job.over, job.in_force, job.problem) == (1, True, True, "")
        assert [number for number, _ in job.failures] == [99]

    asyncio.run(test())


def test_an_approval_that_nobody_began_is_not_there(hub: Hub) -> None:
    with pytest.raises(NotFound):
        Approvals().find(hub, "x")
