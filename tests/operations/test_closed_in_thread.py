"""A task that is cancelled while its thread looks at a real PostgreSQL: nothing of it is left there."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.eventually import eventually, eventually_in_loop
from tests.postgresql import connected, new_schema

from bothways.operations.closed_in_thread import closed_in_thread
from bothways.store import postgresql
from bothways.store.database import Database, create

OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ours'"
HELD_UP = f"SELECT pg_advisory_lock({postgresql._WORKS})"


def test_what_looks_when_its_task_is_cancelled_again_and_again_is_closed_all_the_same() -> None:
    create(url := new_schema(), "PPR").close()
    database = Database(f"{url}&application_name=ours")

    async def look() -> None:
        async with closed_in_thread(database.changes()) as changes:
            await asyncio.to_thread(changes.value)

    async def run() -> None:
        # One thread, so that closing waits until the look is over, which waits for a lock.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        task = asyncio.create_task(look())
        await eventually_in_loop(lambda: other.execute(f"{OURS} AND wait_event_type = 'Lock'").fetchone() == (1,))
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        other.execute("SELECT pg_advisory_unlock_all()")
        await asyncio.gather(task, return_exceptions=True)

    with connected(url) as other, closing(database):
        other.execute(HELD_UP)
        asyncio.run(run())
        eventually(lambda: other.execute(OURS).fetchone() == (0,))
