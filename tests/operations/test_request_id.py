"""A request's id holds in its tasks and threads, is well formed, and reaches the audit."""

import asyncio

import pytest

from bothways.operations import request_id
from bothways.operations.audit import export_audit
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind


async def _in_its_own_task(given: str) -> str:
    return await asyncio.create_task(_begun(given))


async def _begun(given: str) -> str:
    return request_id.begin(given)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "ü", '"'])
def test_what_can_be_no_id_is_replaced_by_a_new_one(given: str) -> None:
    first, second = asyncio.run(_in_its_own_task(given)), asyncio.run(_in_its_own_task(given))
    assert first != second
    assert {len(first), len(second)} == {20}
    assert first.startswith("web-")


def test_an_id_that_was_given_is_kept() -> None:
    assert asyncio.run(_in_its_own_task("5d8b-1f")) == "5d8b-1f"


def test_it_ends_with_the_task_and_names_what_is_written_in_its_threads(hub: Hub) -> None:
    async def once(number: int) -> None:
        request_id.begin(f"req-{number}")
        await asyncio.to_thread(add_customer, hub, f"1000000{number}", CustomerKind.ISSUER, "First Bank")

    async def both() -> None:
        await asyncio.gather(once(1), once(2))

    asyncio.run(both())
    assert request_id.current() == ""
    add_customer(hub, "10000003", CustomerKind.ISSUER, "First Bank")
    lines = [each for each in export_audit(hub) if each["action"] == "customer.add"]
    assert {each["subject"]: each["request_id"] for each in lines} == {
        "10000001": "req-1",
        "10000002": "req-2",
        "10000003": hub.request_id,
    }
