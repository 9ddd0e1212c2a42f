"""Who comes is served once all is published that was committed by then; two control planes: `test_fleet.py`."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.postgresql import new_schema

from bothways.dataplane import caught_up
from bothways.dataplane.caught_up import CaughtUp
from bothways.errors import Unusable
from bothways.operations.hub import now
from bothways.store.database import Database, create
from bothways.store.touched import table


@pytest.fixture
def database() -> Iterator[Database]:
    made = create(new_schema(), "PPR")
    yield made
    made.close()


def commit(database: Database) -> None:
    with database.write(now(), "tester") as transaction:
        transaction.connection.execute(insert(table).values(tsp_id="12345678"))


def test_it_waits_for_what_is_committed_and_tells_what_is_not_published(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caught_up, "_WAIT_SECONDS", 60.0)
    published = [database.change()]
    gate = CaughtUp(database, lambda: published[0])

    async def run() -> None:
        assert await gate.lacks() == ""
        commit(database)
        waiting = asyncio.create_task(gate.lacks())
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        published[0] += 1
        assert await waiting == ""
        monkeypatch.setattr(caught_up, "_WAIT_SECONDS", 0.1)
        commit(database)
        assert await gate.lacks() in {
            f"change {published[0]} is published here, and {published[0] + 1} is committed",
            "the database did not say within 0 s what was changed last",
        }

    asyncio.run(run())


def test_each_asks_after_it_came_and_one_thread_for_all(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = [], threading.Semaphore(0)
    real = database.change

    def slow() -> int:
        begun.append(found := real())
        assert go_on.acquire(timeout=60)
        return found

    monkeypatch.setattr(database, "change", slow)
    before = real()
    gate = CaughtUp(database, lambda: before)

    async def run() -> None:
        monkeypatch.setattr(caught_up, "_WAIT_SECONDS", 60.0)
        first = asyncio.create_task(gate.lacks())
        while not begun:  # noqa: ASYNC110 - another thread's work
            await asyncio.sleep(0.01)
        await asyncio.to_thread(commit, database)
        others = [asyncio.create_task(gate.lacks()) for _ in range(5)]
        await asyncio.sleep(0)
        assert begun == [before]
        go_on.release()
        assert await first == ""
        while len(begun) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        go_on.release()
        await asyncio.sleep(0.05)
        # They came after the commit, so what was asked before it is no answer for them.
        assert not any(each.done() for each in others)
        assert begun == [before, before + 1]
        for each in others:
            each.cancel()

    asyncio.run(run())


def test_a_database_that_does_not_answer_is_told_of(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> int:
        raise Unusable("the database cannot be used: it is away.")

    monkeypatch.setattr(database, "change", fails)
    assert asyncio.run(CaughtUp(database, lambda: 0).lacks()) == "the database cannot be used: it is away."


def test_in_a_file_there_is_nobody_to_compare_with(tmp_path: Path) -> None:
    made = create(tmp_path / "hub.db", "PPR")
    assert asyncio.run(CaughtUp(made, lambda: -1).lacks()) == ""
    made.close()
