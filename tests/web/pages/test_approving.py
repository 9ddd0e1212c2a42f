"""Many requests are approved with their progress, and what stands against one keeps no other from it."""

import asyncio
from collections.abc import Callable

import pytest

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.requests import submit_request
from bothways.web.pages.approving import Approvals, Job


def test_each_outcome_is_told(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    stored = [submit_request(hub, issuer, make_csr()) for _ in range(3)]
    ban_keys(hub, [stored[1].request.spki_pin], "found in a repository")

    async def apply() -> str:
        return "in-force"

    async def once() -> Job:
        approvals = Approvals()
        job = approvals.find(approvals.begin(hub, [each.id for each in stored], apply, strict=True))
        await asyncio.gather(*approvals._tasks)
        return job

    job = asyncio.run(once())
    assert (job.total, job.approved, job.over, job.in_force, job.problem) == (3, 2, True, True, "")
    [(number, why)] = job.failures
    assert (number, "found in a repository" in why or "banned" in why) == (stored[1].id, True)


def test_an_approval_that_nobody_began_is_not_there() -> None:
    with pytest.raises(NotFound):
        Approvals().find("x")
