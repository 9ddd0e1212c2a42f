"""What is told is told to all; on a database that is a file nothing is, for there are no others."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from tests.eventually import eventually_in_loop
from tests.postgresql import in_files

from bothways.errors import Unusable
from bothways.operations import under_way
from bothways.operations.hub import Hub
from bothways.operations.under_way import Kind, Said, knocked, said_of, take, tell, telling
from bothways.store import under_way as stored


def test_how_it_stands_is_told_while_it_goes_on_and_when_it_is_over(
    shared_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands: dict[str, Any] = {"step": 0}
    failing = [True]
    tells = under_way.tell

    def sometimes(*arguments: Any) -> None:
        if failing.pop(0) if failing else False:
            raise Unusable("the database is away.")
        tells(*arguments)

    monkeypatch.setattr(under_way, "tell", sometimes)

    async def run() -> None:
        async with telling(shared_hub, Kind.PAGE_PROBE, "1", lambda: stands):
            stands["step"] = 1
            await eventually_in_loop(lambda: said_of(shared_hub, Kind.PAGE_PROBE, "1") == Said({"step": 1}, False))
            stands["step"] = 2

    asyncio.run(run())
    assert said_of(shared_hub, Kind.PAGE_PROBE, "1") == Said({"step": 2}, False)
    monkeypatch.setattr(under_way, "SILENT", timedelta(0))
    assert said_of(shared_hub, Kind.PAGE_PROBE, "1") == Said({"step": 2}, True)
    assert said_of(shared_hub, Kind.ASKED_PROBE, "1") is None
    # Also where nobody has said a word of that kind since, with which it would be forgotten.
    monkeypatch.setattr(stored, "KEPT", timedelta(0))
    assert said_of(shared_hub, Kind.PAGE_PROBE, "1") is None


def test_nothing_is_told_after_the_last_word(shared_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    tells, is_slow, go, said = under_way.tell, threading.Event(), threading.Event(), list[int]()

    def slow_at_first(*arguments: Any) -> None:
        if not is_slow.is_set():
            is_slow.set()
            go.wait(30)
        tells(*arguments)
        said.append(arguments[-1]["step"])

    monkeypatch.setattr(under_way, "tell", slow_at_first)
    step = 1

    async def run() -> None:
        nonlocal step
        async with telling(shared_hub, Kind.PAGE_PROBE, "1", lambda: {"step": step}):
            await eventually_in_loop(is_slow.is_set)
            step = 2
            asyncio.get_running_loop().call_later(0.3, go.set)
        await eventually_in_loop(lambda: len(said) > 1)

    asyncio.run(run())
    assert said == [1, 2]
    assert said_of(shared_hub, Kind.PAGE_PROBE, "1") == Said({"step": 2}, False)


def test_what_is_taken_late_is_taken_from_all_and_given_to_nobody(shared_hub: Hub) -> None:
    for within, wanted in ((timedelta(minutes=1), {"a": 1}), (timedelta(0), None)):
        tell(shared_hub, Kind.PASSKEY, "1", {"a": 1})
        assert take(shared_hub, Kind.PASSKEY, "1", within) == wanted
        assert take(shared_hub, Kind.PASSKEY, "1", timedelta(minutes=1)) is None


@in_files
def test_where_there_are_no_others_nothing_is_told(hub: Hub) -> None:
    tell(hub, Kind.APPROVALS, "1", {})

    async def run() -> None:
        async with telling(hub, Kind.APPROVALS, "1", dict):
            pass

    asyncio.run(run())
    assert said_of(hub, Kind.APPROVALS, "1") is None
    assert take(hub, Kind.APPROVALS, "1", timedelta(minutes=1)) is None
    with hub.observations.read() as connection:
        assert not stored.documents(connection, Kind.APPROVALS.value, ["1"])


def test_a_knock_is_named_by_where_it_comes_from() -> None:
    assert knocked("192.0.2.1", 50000) == knocked("192.0.2.1", "50000") == "192.0.2.1 50000"
